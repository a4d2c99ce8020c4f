/** The end of a run in a few lines: each stage with its figures, answers before and after, where the model is. */

import { join, relative } from 'node:path';
import { displayWidth } from '../compiler/source/width.ts';
import type { Sample } from '../runtime/run/events.ts';
import { fittingParts, oneLine, padDisplay, truncateDisplay } from './fit-text.ts';
import { formatMetric, formatSeconds } from './format-numbers.ts';
import { conditionsOf } from './gate-conditions.ts';
import { resultFigures } from './metric-names.ts';
import { storeFlag } from './resume-command.ts';
import { stageMark } from './stage-mark.ts';
import type { Style } from './style.ts';
import type { RunView, StageView } from './view-model.ts';

export interface SummaryOptions {
  readonly style: Style;
  /** The command that goes on with this run. */
  readonly resume: string;
  /** Directory of the store. */
  readonly store: string;
  /** Columns of the terminal; absent where lines may have any length. */
  readonly columns?: number;
  /** Stages that finished have been shown, and are not told again. */
  readonly told?: boolean;
}

const shownPrompts = 4;

export function summarize(view: RunView, options: SummaryOptions): readonly string[] {
  const { style, resume, store, told = false, columns = Number.POSITIVE_INFINITY } = options;
  const width = Math.max(0, ...view.stages.map(({ id }) => displayWidth(id)));
  const stages = told ? view.stages.filter(({ seconds }) => seconds === undefined) : view.stages;
  return [
    `${style.bold(view.pipeline ?? 'run')} ${verdict(view, style)} ${style.dim(`after ${formatSeconds(view.seconds ?? 0)}`)}`,
    ...(stages.length > 0 ? [''] : []),
    ...stages.flatMap((stage) => stageLines(stage, width, style, columns)),
    ...answers(view, style, columns),
    ...whatNext(view, style, resume, store),
  ];
}

function verdict(view: RunView, style: Style): string {
  switch (view.status) {
    case 'ok':
      return style.green('finished');
    case 'gate_failed':
      return style.red('stopped at a gate that was not met');
    case 'stopped':
      return style.yellow('was stopped');
    default:
      return style.red('failed');
  }
}

function stageLines(stage: StageView, width: number, style: Style, columns: number): readonly string[] {
  const mark = stageMark(stage.state);
  const time = stage.seconds !== undefined && stage.state !== 'cached' ? formatSeconds(stage.seconds) : '';
  const room = columns - 4 - width - 2 - 7 - 2;
  const figures =
    stage.kind === 'gate' ? '' : fittingParts(resultFigures(bestFigures(stage), 3), room, '   ');
  const note = {
    skipped: 'did not run',
    blocked: 'blocked',
    stopped: stoppedWords(stage),
    failed: 'failed',
  };
  const words = stage.state in note ? note[stage.state as keyof typeof note] : figures;
  const line = `  ${paint(style, mark.color, mark.sign)} ${padDisplay(stage.id, width)}  ${(stage.state === 'cached' ? 'cached' : time).padStart(7)}  ${words}`;
  return [
    line.trimEnd(),
    ...conditionsOf(stage).map(
      ({ text, value, passed }) =>
        `      ${passed ? style.green('✔') : style.red('✗')} ${text}  ${style.dim(`is ${formatMetric(value)}`)}`,
    ),
  ];
}

function stoppedWords({ step, checkpoint }: StageView): string {
  if (checkpoint === undefined) return `stopped at step ${step}, nothing saved yet`;
  return checkpoint === step
    ? `saved at step ${step}`
    : `stopped at step ${step}, saved at step ${checkpoint}`;
}

/** What it reported at its end, else its latest figures. */
function bestFigures(stage: StageView) {
  return Object.keys(stage.results).length > 0 ? stage.results : { ...stage.metrics, ...stage.evaluated };
}

function paint(style: Style, color: 'green' | 'red' | 'yellow' | 'cyan' | 'dim', text: string): string {
  return style[color](text);
}

interface Answer {
  readonly stage: string;
  readonly sample: Sample;
}

/** The first and the last completion of each prompt, in the order of the prompts: nothing is picked. */
function answers(view: RunView, style: Style, columns: number): readonly string[] {
  const byPrompt = new Map<string, Answer[]>();
  for (const stage of view.stages) {
    for (const sample of stage.samples.flatMap(({ samples }) => samples)) {
      const known = byPrompt.get(sample.prompt);
      if (known) known.push({ stage: stage.id, sample });
      else byPrompt.set(sample.prompt, [{ stage: stage.id, sample }]);
    }
  }
  const twice = [...byPrompt].filter(([, given]) => given.length > 1);
  const shown = (twice.length > 0 ? twice : latest(view, byPrompt)).slice(0, shownPrompts);
  if (shown.length === 0) return [];
  return [
    '',
    `  ${style.bold(twice.length > 0 ? 'Before and after' : 'Samples')}`,
    ...shown.flatMap(([prompt, given]) => [
      `    ${style.cyan('›')} ${truncateDisplay(oneLine(prompt), Math.min(90, columns - 6))}`,
      ...(given.length > 1 ? [answerLine('before', given[0]!, style, columns)] : []),
      answerLine(given.length > 1 ? 'after ' : 'answer', given.at(-1)!, style, columns),
    ]),
  ];
}

/** Where no prompt was asked twice: the answers given last. */
function latest(
  view: RunView,
  byPrompt: ReadonlyMap<string, Answer[]>,
): readonly (readonly [string, readonly Answer[]])[] {
  const last = view.stages.findLast(({ samples }) => samples.length > 0)?.samples.at(-1);
  return (last?.samples ?? []).map(({ prompt }) => [prompt, byPrompt.get(prompt)!]);
}

function answerLine(word: string, { stage, sample }: Answer, style: Style, columns: number): string {
  const facts = [
    stage,
    ...(sample.reward === undefined ? [] : [`reward ${formatMetric(sample.reward)}`]),
    ...(sample.correct === undefined ? [] : [sample.correct ? 'correct' : 'wrong']),
  ];
  const tail = `(${facts.join(', ')})`;
  const room = Math.max(16, columns - 6 - word.length - 2 - displayWidth(tail));
  const said = truncateDisplay(oneLine(sample.completion), Math.min(90, room));
  return `      ${style.dim(word)} ${said || style.dim('(nothing)')} ${style.dim(tail)}`;
}

function whatNext(view: RunView, style: Style, resume: string, store: string): readonly string[] {
  if (view.status !== 'ok') {
    if (view.status === 'gate_failed') return [];
    return ['', `  ${style.dim('go on with')}  ${resume}`];
  }
  const last = view.stages.findLast(({ artifacts }) => artifacts.policy !== undefined);
  const exported = view.stages.flatMap(({ wrote }) =>
    wrote === undefined ? [] : [relative('.', wrote) || '.'],
  );
  if (last === undefined && exported.length === 0) return [];
  return [
    '',
    ...exported.map((path) => `  ${style.dim('exported')}  ${path}`),
    ...(last === undefined || view.run === undefined
      ? []
      : [
          `  ${style.dim('model')}     ${join(store, 'runs', view.run, 'artifacts', `${last.id}.policy`)}`,
          `  ${style.dim('try it')}    ftc generate ${view.run} "…"${storeFlag(store)}`,
        ]),
  ];
}
