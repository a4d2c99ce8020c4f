/** The end of a run in a few lines: each stage with its figures, answers before and after, where the model is. */

import { join, relative } from 'node:path';
import { displayWidth } from '../compiler/source/width.ts';
import type { Sample } from '../runtime/run/events.ts';
import { padDisplay, truncateDisplay } from './fit-text.ts';
import { formatMetric, formatSeconds } from './format-numbers.ts';
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
}

const shownPrompts = 4;

export function summarize(view: RunView, { style, resume, store }: SummaryOptions): readonly string[] {
  const width = Math.max(0, ...view.stages.map(({ id }) => displayWidth(id)));
  return [
    `${style.bold(view.pipeline ?? 'run')} ${verdict(view, style)} ${style.dim(`after ${formatSeconds(view.seconds ?? 0)}`)}`,
    '',
    ...view.stages.flatMap((stage) => stageLines(stage, width, style)),
    ...answers(view, style),
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

function stageLines(stage: StageView, width: number, style: Style): readonly string[] {
  const mark = stageMark(stage.state);
  const time = stage.seconds !== undefined && stage.state !== 'cached' ? formatSeconds(stage.seconds) : '';
  // A gate's figures are its conditions; those that were met in an earlier run come as results.
  const figures = stage.kind === 'gate' ? '' : resultFigures(bestFigures(stage), 3).join('   ');
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

function conditionsOf({ kind, conditions, results, state }: StageView): StageView['conditions'] {
  if (kind !== 'gate' || conditions.length > 0 || state !== 'cached') return conditions;
  return Object.entries(results).map(([text, value]) => ({ text, value, passed: true }));
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
function answers(view: RunView, style: Style): readonly string[] {
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
      `    ${style.cyan('›')} ${oneLine(prompt, 90)}`,
      ...(given.length > 1 ? [answerLine('before', given[0]!, style)] : []),
      answerLine(given.length > 1 ? 'after ' : 'answer', given.at(-1)!, style),
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

function answerLine(word: string, { stage, sample }: Answer, style: Style): string {
  const tail = [
    stage,
    ...(sample.reward === undefined ? [] : [`reward ${formatMetric(sample.reward)}`]),
    ...(sample.correct === undefined ? [] : [sample.correct ? 'correct' : 'wrong']),
  ].join(', ');
  return `      ${style.dim(word)} ${oneLine(sample.completion, 90) || style.dim('(nothing)')} ${style.dim(`(${tail})`)}`;
}

/** Without line breaks and the marks of a chat template, which take more room than the words between them. */
function oneLine(text: string, width: number): string {
  const words = text.replace(/<\|[^|<>\s]{1,40}\|>/g, ' ');
  return truncateDisplay(words.replace(/\s+/g, ' ').trim(), width);
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
