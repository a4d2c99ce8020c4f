/** What to tell a person whose engine died without a word: what happened, at which stage, and how to go on. */
import { codes } from '../compiler/diagnostics/codes.ts';
import { diagnose } from '../compiler/diagnostics/diagnostic.ts';
import type { ExecutionGraph } from '../compiler/graph/graph.ts';
import type { EngineExit } from './engine-process.ts';
import { formatBytes } from './format-numbers.ts';
import type { Problem, RunView, StageView } from './view-model.ts';

export interface Death {
  readonly problem: Problem;
  readonly exitCode: number;
}

/** The engine's end as a diagnostic with the span of the stage that was running. */
export function explainDeath(exit: EngineExit, view: RunView, graph: ExecutionGraph, resume: string): Death {
  const stage = view.stages.find(({ id, state }) => id === view.current && state === 'running');
  const span = graph.jobs.find(({ id }) => id === stage?.id)?.span;
  const outOfMemory = isOutOfMemory(exit);
  const { code, exit: exitCode } = codes[outOfMemory ? 'not-enough-memory' : 'engine-died'];
  const said = lastSentence(exit.lastWords);
  const { message, help } = diagnose('engine-died', {
    stage: stage?.id ?? view.pipeline ?? graph.pipeline,
    ...(stage === undefined ? {} : { step: stage.step }),
    how: how(exit, outOfMemory),
    resume,
  });
  return {
    exitCode,
    problem: {
      type: 'diagnostic',
      ...(stage === undefined ? {} : { stage: stage.id }),
      code,
      message,
      ...(span === undefined ? {} : { file: span.file, line: span.line, column: span.column }),
      notes: [
        ...(view.memory === undefined ? [] : [`the engine last held ${formatBytes(view.memory)} of memory`]),
        ...(said === '' ? [] : [`it said: ${said}`]),
        savedWords(stage),
      ],
      help: [...(outOfMemory ? ['use a smaller batch, context or model, or free memory'] : []), ...help],
    },
  };
}

function savedWords(stage: StageView | undefined): string {
  if (stage?.checkpoint === undefined) return 'nothing of this stage was saved yet; finished stages are kept';
  return `\`${stage.id}\` was last saved at step ${stage.checkpoint}`;
}

function isOutOfMemory({ signal, lastWords }: EngineExit): boolean {
  return (
    signal === 'SIGKILL' || /heap out of memory|bad_alloc|Cannot allocate memory|ENOMEM/i.test(lastWords)
  );
}

function how({ code, signal }: EngineExit, outOfMemory: boolean): string {
  if (outOfMemory) return 'memory ran out, and the system ended it';
  return signal === null ? `it left without a word, with exit code ${code}` : `it crashed with ${signal}`;
}

/** The line that names the cause, without the stack below it. */
function lastSentence(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^at |^\d+: |^-+|^Node\.js v|^node:|^file:\/\/|^\^|^throw /.test(line));
  const telling =
    lines.findLast((line) => /error|fatal|abort|terminate|what\(\)|memory/i.test(line)) ?? lines.at(-1);
  return (telling ?? '').slice(0, 300);
}
