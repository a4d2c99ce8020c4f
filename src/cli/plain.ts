/** The plain face: one line per event worth reading, at most one step line a second, no escape codes of its own. */
import type { RunEvent } from '../runtime/run/events.ts';
import type { Face } from './face.ts';
import { formatEta, formatMetric, formatSeconds } from './format-numbers.ts';
import { keyFigures, resultFigures, tokenRate } from './metric-names.ts';
import { problemLines } from './problem-lines.ts';
import type { Style } from './style.ts';
import { summarize } from './summary.ts';
import { type RunView, remainingSeconds, type StageView, type ViewSignal } from './view-model.ts';

export interface PlainOptions {
  readonly write: (text: string) => void;
  readonly style: Style;
  /** Only warnings, errors and the end. */
  readonly quiet: boolean;
  /** The command that goes on with this run. */
  readonly resume: string;
  /** Directory of the store. */
  readonly store: string;
}

const millisecondsBetweenSteps = 1000;

export function plainFace({ write, style, quiet, resume, store }: PlainOptions): Face {
  let lastStepAt = Number.NEGATIVE_INFINITY;
  return {
    show: (event, view, at) => {
      if (event.type === 'step') {
        if (at - lastStepAt < millisecondsBetweenSteps) return;
        lastStepAt = at;
      }
      if (quiet && !isUrgent(event)) return;
      if (!quiet && event.type === 'run_finished') return; // the summary says it
      const text = describe(event, view, style, resume);
      if (text !== undefined) write(`${text}\n`);
    },
    close: (view) => {
      if (!quiet && view.status !== undefined)
        write(`\n${summarize(view, { style, resume, store }).join('\n')}\n`);
    },
  };
}

function isUrgent(event: RunEvent | ViewSignal): boolean {
  if (event.type === 'message') return event.level !== 'info';
  if (event.type === 'gate') return !event.passed;
  return event.type === 'diagnostic' || event.type === 'stopping' || event.type === 'run_finished';
}

function describe(
  event: RunEvent | ViewSignal,
  view: RunView,
  style: Style,
  resume: string,
): string | undefined {
  const label = (stage: string | undefined) => (stage === undefined ? '' : `${style.bold(stage)}: `);
  switch (event.type) {
    case 'version':
    case 'samples':
    case 'memory':
      return undefined;
    case 'run_started':
      return `${style.bold(event.pipeline)}: ${event.stages.join(' → ')} on ${event.device}, run ${event.run}`;
    case 'stage_started':
      return startLine(event, label(event.stage));
    case 'step': {
      const stage = view.stages.find((one) => one.id === event.stage);
      return `${label(event.stage)}step ${event.step}/${event.steps}  ${stepFigures(stage, event.metrics).join('  ')}`;
    }
    case 'evaluated':
      return `${label(event.stage)}evaluated at step ${event.step}  ${keyFigures(event.metrics, 4).join('  ')}`;
    case 'checkpoint':
      return `${label(event.stage)}saved at step ${event.step}`;
    case 'message':
      return `${event.level === 'info' ? '' : `${event.level}: `}${label(event.stage)}${event.text}`;
    case 'stage_finished':
      if (event.action === 'cached') return `${label(event.stage)}cached`;
      if (event.action === 'blocked') return `${label(event.stage)}blocked`;
      if (view.stages.some(({ id, conditions }) => id === event.stage && conditions.length > 0))
        return undefined;
      return `${label(event.stage)}done in ${formatSeconds(event.seconds)}  ${resultFigures(event.metrics, 4).join('  ')}`.trimEnd();
    case 'gate':
      return [
        `${label(event.stage)}${event.passed ? 'passed' : style.red('not met')}`,
        ...event.conditions.map(
          ({ text, value, passed }) => `  ${passed ? '✔' : '✗'} ${text} (is ${formatMetric(value)})`,
        ),
      ].join('\n');
    case 'diagnostic':
      return problemLines(event, style).join('\n');
    case 'stopping':
      return `finishing this step, saving… then go on with: ${resume}`;
    case 'run_finished':
      return `${style.bold(view.pipeline ?? 'run')}: ${event.status.replace('_', ' ')} after ${formatSeconds(event.seconds)}`;
  }
}

function startLine(event: Extract<RunEvent, { type: 'stage_started' }>, label: string): string | undefined {
  switch (event.action) {
    case 'cached':
    case 'blocked':
      return undefined;
    case 'resume':
      return `${label}resumes at step ${event.from_step ?? 0} of ${event.steps}`;
    case 'run':
      return event.steps > 0
        ? `${label}starts, ${event.steps === 1 ? 'one step' : `${event.steps} steps`}`
        : undefined;
  }
}

function stepFigures(
  stage: StageView | undefined,
  metrics: { readonly [name: string]: number },
): readonly string[] {
  const rate = tokenRate(metrics);
  const remaining = stage && remainingSeconds(stage);
  return [
    ...keyFigures(metrics, 3),
    ...(rate === undefined ? [] : [rate]),
    ...(remaining === undefined ? [] : [`${formatEta(remaining)} left`]),
  ];
}
