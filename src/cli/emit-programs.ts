/** The tensor programs of a stage: as text, as an ONNX model, after a pass, and what its passes do. */
import { nearest } from '../compiler/diagnostics/nearest.ts';
import type { ExecutionGraph } from '../compiler/graph/graph.ts';
import { UsageError } from './command.ts';
import type { PassFigures } from './pass-table.ts';

export type ProgramForm = 'program' | 'onnx';

/** The stage whose programs are meant. */
export interface StageOfFile {
  readonly graph: ExecutionGraph;
  readonly file: string;
  readonly stage: string;
}

/** Errors: UsageError where no stage is named, or none of the pipeline. `flag`: what asks for one. */
export function requireStage(graph: ExecutionGraph, stage: string | undefined, flag: string): string {
  const ids = graph.jobs.map(({ id }) => id);
  if (stage !== undefined && ids.includes(stage)) return stage;
  const meant = stage === undefined ? undefined : nearest(stage, ids);
  throw new UsageError(
    stage === undefined ? `\`${flag}\` shows one stage` : `the pipeline has no stage \`${stage}\``,
    meant === undefined ? `name it: --stage ${ids.join('|')}` : `did you mean \`--stage ${meant}\`?`,
  );
}

/** All of the stage's programs as text; as ONNX the first, which is the one that trains. */
export async function emitPrograms(of: StageOfFile, form: ProgramForm): Promise<string | Uint8Array> {
  const { stagePrograms } = await import('../runtime/run/stage-programs.ts');
  const programs = await stagePrograms(of);
  const [first] = programs;
  if (first === undefined) throw noProgram(of);
  if (form === 'onnx') {
    const { emitOnnx } = await import('../runtime/executables/onnx/onnx.ts');
    return emitOnnx(first);
  }
  const { printProgram } = await import('../runtime/programs/print.ts');
  return programs.map(printProgram).join('\n\n');
}

/** The stage's first program after a pass. Errors: UsageError for a name that no pass has. */
export async function emitAfter(of: StageOfFile, after: string): Promise<string> {
  const { programPasses } = await import('../runtime/run/program-passes.ts');
  const names = programPasses().map(({ name }) => name);
  if (!names.includes(after)) {
    const meant = nearest(after, names);
    const list = `the passes are ${names.join(', ')}`;
    throw new UsageError(
      `no pass is called \`${after}\``,
      meant === undefined ? list : `did you mean \`--after ${meant}\`? ${list}`,
    );
  }
  const { stagePasses } = await import('../runtime/run/stage-programs.ts');
  const run = (await stagePasses(of)).find(({ pass }) => pass.name === after);
  if (run === undefined) throw noProgram(of);
  const { printProgram } = await import('../runtime/programs/print.ts');
  return printProgram(run.after);
}

/** What each pass does to the stage's first program. */
export async function passFigures(of: StageOfFile): Promise<readonly PassFigures[]> {
  const { stagePasses } = await import('../runtime/run/stage-programs.ts');
  const { programSize } = await import('../runtime/run/program-size.ts');
  const runs = await stagePasses(of);
  if (runs.length === 0) throw noProgram(of);
  const sizes = runs.map(({ after }) => programSize(after));
  return runs.map(({ pass, seconds }, i) => ({
    name: pass.name,
    ensures: pass.ensures,
    // The first was built with the estimate, which reads the data.
    ...(i > 0 && { seconds, before: sizes[i - 1]! }),
    after: sizes[i]!,
  }));
}

function noProgram({ graph, stage }: StageOfFile): UsageError {
  const training = graph.jobs.flatMap(({ id, method }) => (method ? [id] : []));
  const help = training.length === 0 ? undefined : `name one that trains: --stage ${training.join('|')}`;
  return new UsageError(`\`${stage}\` runs no tensor program`, help);
}
