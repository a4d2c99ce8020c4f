/** `ftc compile`: what the compiler makes of a file, in the form that was asked for. */
import { writeFileSync } from 'node:fs';
import { nearest } from '../../compiler/diagnostics/nearest.ts';
import type { ExecutionGraph } from '../../compiler/graph/graph.ts';
import { printGraph } from '../../compiler/graph/print-graph.ts';
import { emitDot } from '../../compiler/targets/dot.ts';
import { emitMermaid } from '../../compiler/targets/mermaid.ts';
import type { Arguments } from '../arguments.ts';
import { CommandError, type RunCommand, UsageError } from '../command.ts';
import { checkFile, pipelineSettings, systemWords } from '../compile-file.ts';
import { emitAfter, emitPrograms, type ProgramForm, passFigures, requireStage } from '../emit-programs.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { passJson, passTable } from '../pass-table.ts';
import { printDiagnostics, reportDiagnostics } from '../report-diagnostics.ts';

/** What a pass prints, by the name of the form: there for files with errors too. */
const passes: { readonly [form: string]: string } = { tokens: 'lex', ast: 'parse' };

const graphForms: { readonly [form: string]: (graph: ExecutionGraph) => string } = {
  graph: printGraph,
  mermaid: emitMermaid,
  dot: emitDot,
};

const programForms: readonly ProgramForm[] = ['program', 'onnx'];

const forms = [...Object.keys(passes), ...Object.keys(graphForms), ...programForms];

export const run: RunCommand = async (given, output) => {
  const after = given.value('after');
  const listed = given.has('passes');
  const form = given.value('emit') ?? (after !== undefined || listed ? 'program' : 'graph');
  if (!forms.includes(form)) {
    const meant = nearest(form, forms);
    throw new UsageError(
      `nothing is called \`${form}\` on the way`,
      meant === undefined ? `--emit takes ${forms.join(', ')}` : `did you mean \`--emit ${meant}\`?`,
    );
  }
  const json = given.has('json');
  if ((after !== undefined || listed) && form !== 'program')
    throw new UsageError(`\`${listed ? '--passes' : '--after'}\` goes with \`--emit program\``);
  if (after !== undefined && listed)
    throw new UsageError('`--passes` lists all of them', 'leave out `--passes` or `--after`');
  if (json && form !== 'graph' && !listed)
    throw new UsageError('`--json` goes with `--emit graph` and with `--passes`');
  const printed = new Map<string, string>();
  const observe = (name: string, print: () => string) => {
    if (name === passes[form]) printed.set(form, print());
  };
  const checked = checkFile(given.positionals[0]!, pipelineSettings(given), { observe });
  const early = printed.get(form);
  if (early !== undefined) {
    write(early, given, output);
    printDiagnostics(checked, [], output);
    return exitCodes.ok;
  }
  const { graph, path } = checked;
  if (graph === undefined) return reportDiagnostics([checked], output, { json, quiet: true, reporters: [] });
  printDiagnostics(checked, [], output);
  const whole = graphForms[form];
  if (whole !== undefined) {
    write(json ? JSON.stringify(graph) : whole(graph), given, output);
    return exitCodes.ok;
  }
  const stage = requireStage(graph, given.value('stage'), listed ? '--passes' : `--emit ${form}`);
  const of = { graph, file: path, stage };
  if (listed) {
    const figures = await passFigures(of);
    write(json ? passJson(stage, figures) : passTable(figures, output.style), given, output);
    return exitCodes.ok;
  }
  const emitted =
    after === undefined ? await emitPrograms(of, form as ProgramForm) : await emitAfter(of, after);
  if (typeof emitted !== 'string' && given.value('out') === undefined) {
    throw new UsageError('an ONNX model is binary', 'name a file for it: --out model.onnx');
  }
  write(emitted, given, output);
  return exitCodes.ok;
};

function write(content: string | Uint8Array, given: Arguments, output: Output): void {
  const file = given.value('out');
  const whole = typeof content === 'string' ? `${content.trimEnd()}\n` : content;
  if (file === undefined) {
    output.write(String(whole));
    return;
  }
  try {
    writeFileSync(file, whole);
  } catch (error) {
    const why = systemWords(error as NodeJS.ErrnoException);
    throw new CommandError(`cannot write \`${file}\`: ${why}`, exitCodes.environment);
  }
}
