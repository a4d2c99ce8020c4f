/** The tensor programs of a stage, as text or as an ONNX model. */
import { nearest } from '../compiler/diagnostics/nearest.ts';
import type { ExecutionGraph } from '../compiler/graph/graph.ts';
import { UsageError } from './command.ts';

export type ProgramForm = 'program' | 'onnx';

/** The stage's first program where there are several: the one that trains. */
export async function emitPrograms(
  graph: ExecutionGraph,
  file: string,
  form: ProgramForm,
  stage: string | undefined,
): Promise<string | Uint8Array> {
  const ids = graph.jobs.map(({ id }) => id);
  if (stage === undefined || !ids.includes(stage)) {
    const meant = stage === undefined ? undefined : nearest(stage, ids);
    throw new UsageError(
      stage === undefined ? `\`--emit ${form}\` shows one stage` : `the pipeline has no stage \`${stage}\``,
      meant === undefined ? `name it: --stage ${ids.join('|')}` : `did you mean \`--stage ${meant}\`?`,
    );
  }
  const { stagePrograms } = await import('../runtime/run/stage-programs.ts');
  const programs = await stagePrograms({ graph, file, stage });
  const [first] = programs;
  if (first === undefined) throw new UsageError(`\`${stage}\` runs no tensor program`);
  if (form === 'onnx') {
    const { emitOnnx } = await import('../runtime/executables/onnx/onnx.ts');
    return emitOnnx(first);
  }
  const { printProgram } = await import('../runtime/programs/print.ts');
  return programs.map(printProgram).join('\n\n');
}
