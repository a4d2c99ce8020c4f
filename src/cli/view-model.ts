/**
 * What a face of a run shows, made from the events alone: `reduce(view, event, at)` is pure, so the live view, the
 * plain lines and the summaries can never disagree, and each is tested without a run.
 */
import type { ConditionResult, Metrics, RunEvent, Sample, StageAction } from '../runtime/run/events.ts';
import { extend, type Series } from './series.ts';

export type StageState =
  | 'waiting'
  | 'running'
  | 'done'
  | 'cached'
  | 'blocked'
  | 'failed'
  | 'gate_failed'
  | 'stopped'
  | 'skipped';

export interface StageView {
  readonly id: string;
  readonly kind: string;
  readonly state: StageState;
  readonly action?: StageAction;
  readonly step: number;
  readonly steps: number;
  readonly fromStep: number;
  /** Milliseconds on the caller's clock. */
  readonly startedAt?: number;
  readonly seconds?: number;
  /** Latest metrics of a step. */
  readonly metrics: Metrics;
  /** Latest metrics of an evaluation. */
  readonly evaluated: Metrics;
  /** What the stage reported when it finished. */
  readonly results: Metrics;
  readonly history: { readonly [metric: string]: Series };
  /** Last moments at which a step ended, for the pace. */
  readonly pace: readonly { readonly at: number; readonly step: number }[];
  readonly checkpoint?: number;
  readonly conditions: readonly ConditionResult[];
  readonly artifacts: { readonly [slot: string]: string };
  /** Where it wrote files for the user. */
  readonly wrote?: string;
  /** The first and the latest texts it generated. */
  readonly samples: readonly SampleSet[];
}

interface SampleSet {
  readonly step: number;
  readonly samples: readonly Sample[];
}

export type Problem = Extract<RunEvent, { type: 'diagnostic' }>;

export interface Message {
  readonly stage?: string;
  readonly level: 'info' | 'warning' | 'error';
  readonly text: string;
}

export interface RunView {
  readonly run?: string;
  readonly pipeline?: string;
  readonly device?: string;
  readonly startedAt?: number;
  readonly stages: readonly StageView[];
  readonly current?: string;
  readonly messages: readonly Message[];
  readonly problems: readonly Problem[];
  /** Resident memory of the engine, in bytes. */
  readonly memory?: number;
  /** A stop was asked for and the engine has not left yet. */
  readonly stopping: boolean;
  readonly status?: 'ok' | 'failed' | 'gate_failed' | 'stopped';
  readonly exitCode?: number;
  readonly seconds?: number;
}

/** What a face learns besides the engine's events. */
export type ViewSignal = { readonly type: 'memory'; readonly bytes: number } | { readonly type: 'stopping' };

export const emptyView: RunView = { stages: [], messages: [], problems: [], stopping: false };

const keptMessages = 50;
const keptPace = 40;

/** The view after `event`, which arrived `at` milliseconds on a monotonic clock. */
export function reduce(view: RunView, event: RunEvent | ViewSignal, at: number): RunView {
  switch (event.type) {
    case 'version':
      return view;
    case 'memory':
      return { ...view, memory: event.bytes };
    case 'stopping':
      return { ...view, stopping: true };
    case 'run_started':
      return {
        ...view,
        run: event.run,
        pipeline: event.pipeline,
        device: event.device,
        startedAt: at,
        stages: event.stages.map(waiting),
      };
    case 'stage_started':
      return {
        ...changed(view, event.stage, (stage) => ({
          ...stage,
          kind: event.kind,
          action: event.action,
          state: event.action === 'blocked' ? 'blocked' : 'running',
          steps: event.steps,
          step: event.from_step ?? 0,
          fromStep: event.from_step ?? 0,
          startedAt: at,
          pace: [],
        })),
        current: event.stage,
      };
    case 'step':
      return {
        ...changed(view, event.stage, (stage) => ({
          ...stage,
          step: event.step,
          steps: event.steps,
          metrics: { ...stage.metrics, ...event.metrics },
          history: withMetrics(stage.history, event.metrics),
          pace: [...stage.pace, { at, step: event.step }].slice(-keptPace),
        })),
        current: event.stage,
      };
    case 'evaluated':
      return changed(view, event.stage, (stage) => ({
        ...stage,
        evaluated: { ...stage.evaluated, ...event.metrics },
        history: withMetrics(stage.history, event.metrics),
      }));
    case 'samples':
      return changed(view, event.stage, (stage) => ({
        ...stage,
        samples: [...stage.samples.slice(0, 1), { step: event.step, samples: event.samples }],
      }));
    case 'checkpoint':
      return changed(view, event.stage, (stage) => ({ ...stage, checkpoint: event.step }));
    case 'message':
      return { ...view, messages: [...view.messages, event].slice(-keptMessages) };
    case 'stage_finished':
      return changed(view, event.stage, (stage) => ({
        ...stage,
        action: event.action,
        // A gate that failed has said so already: finishing does not mend it.
        state: finishedState(stage, event.action),
        seconds: event.seconds,
        results: event.metrics,
        artifacts: event.artifacts,
        ...(event.wrote !== undefined && { wrote: event.wrote }),
      }));
    case 'gate':
      return changed(view, event.stage, (stage) => ({
        ...stage,
        state: event.passed ? stage.state : 'gate_failed',
        conditions: event.conditions,
      }));
    case 'diagnostic':
      return {
        ...(event.stage === undefined
          ? view
          : changed(view, event.stage, (stage) => ({
              ...stage,
              state: stage.state === 'gate_failed' ? stage.state : 'failed',
            }))),
        problems: [...view.problems, event],
      };
    case 'run_finished':
      return {
        ...view,
        run: event.run,
        status: event.status,
        exitCode: event.exit_code,
        seconds: event.seconds,
        stages: view.stages.map((stage) => ended(stage, event.status)),
      };
  }
}

function waiting(id: string): StageView {
  return {
    id,
    kind: id,
    state: 'waiting',
    step: 0,
    steps: 0,
    fromStep: 0,
    metrics: {},
    evaluated: {},
    results: {},
    history: {},
    pace: [],
    conditions: [],
    artifacts: {},
    samples: [],
  };
}

function changed(view: RunView, id: string, change: (stage: StageView) => StageView): RunView {
  const known = view.stages.some((stage) => stage.id === id);
  const stages = known ? view.stages : [...view.stages, waiting(id)];
  return { ...view, stages: stages.map((stage) => (stage.id === id ? change(stage) : stage)) };
}

function withMetrics(history: StageView['history'], metrics: Metrics): StageView['history'] {
  const entries = Object.entries(metrics).map(([name, value]) => [name, extend(history[name], value)]);
  return { ...history, ...(Object.fromEntries(entries) as StageView['history']) };
}

function finishedState(stage: StageView, action: StageAction): StageState {
  if (stage.state === 'gate_failed' || stage.state === 'failed') return stage.state;
  if (action === 'cached') return 'cached';
  return action === 'blocked' ? 'blocked' : 'done';
}

/** What a stage is once the run is over: a running one was cut, a waiting one never came. */
function ended(stage: StageView, status: NonNullable<RunView['status']>): StageView {
  if (stage.state === 'running') {
    return { ...stage, state: status === 'stopped' ? 'stopped' : status === 'ok' ? 'done' : 'failed' };
  }
  return stage.state === 'waiting' ? { ...stage, state: 'skipped' } : stage;
}

/** Share of the stage that is done, between 0 and 1. */
export function progressOf(stage: StageView): number {
  return stage.steps > 0 ? Math.min(1, stage.step / stage.steps) : 0;
}

/** Seconds until the stage's last step at the pace of its latest steps; undefined before there is a pace. */
export function remainingSeconds(stage: StageView): number | undefined {
  const last = stage.pace.at(-1);
  // The first step waits for loading and a first evaluation: it is no measure once there are others.
  const first = stage.pace.length > 1 ? stage.pace[0] : { at: stage.startedAt ?? 0, step: stage.fromStep };
  if (first === undefined || last === undefined || last.step <= first.step) return undefined;
  return ((last.at - first.at) / 1000 / (last.step - first.step)) * (stage.steps - last.step);
}
