/** The training loop: steps, events, evaluation, checkpoints, resume, stopping. */
import type { Tensor } from '../programs/ops.ts';
import { type LoopTask, Stopped } from '../stages/stage.ts';
import type { Metrics, RunEvent } from './events.ts';

/** A checkpoint: tensors of the trainer, and numbers of the loop and the stage. */
export interface Checkpoint {
  readonly step: number;
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly state: Readonly<Record<string, number>>;
  /** What the held-out evaluation before the first step gave, so that a resumed run still knows it. */
  readonly first: Metrics;
}

export interface LoopSettings {
  readonly stage: string;
  /** Steps between evaluations; 0: before the first and after the last only. */
  readonly evalEvery: number;
  /** Steps between checkpoints; 0: once a minute. */
  readonly saveEvery: number;
  readonly resumed: Checkpoint | undefined;
  save(checkpoint: Checkpoint): Promise<void>;
  stopping(): boolean;
  emit(event: RunEvent): void;
}

const SAVE_MILLISECONDS = 60_000;

/** Errors: Stopped after the running step was saved; whatever a step throws. */
export async function loop(task: LoopTask, settings: LoopSettings): Promise<Metrics> {
  const { stage, resumed, emit } = settings;
  let from = 0;
  let last: Metrics = {};
  let evaluated: Metrics = {};
  let first: Metrics = {};

  const evaluate = async (step: number) => {
    if (!task.evaluate) return;
    evaluated = prefixed(await task.evaluate(step), 'eval_');
    emit({ type: 'evaluated', stage, step, metrics: evaluated });
  };
  const save = async (step: number) => {
    await settings.save({ step, tensors: task.trainer.checkpoint(), state: task.state?.() ?? {}, first });
    emit({ type: 'checkpoint', stage, step });
  };

  if (resumed) {
    task.trainer.restore(resumed.tensors);
    task.restore?.(resumed.state);
    from = resumed.step;
    first = resumed.first;
  } else {
    await evaluate(0);
    first = prefixed(evaluated, 'initial_');
  }

  let saved = Date.now();
  for (let step = from; step < task.steps; step++) {
    if (settings.stopping()) {
      await save(step);
      throw new Stopped(`stopped at step ${step} of ${task.steps}`);
    }
    const started = performance.now();
    last = await task.step(step);
    const seconds = (performance.now() - started) / 1000;
    const speed =
      task.tokensPerStep === undefined
        ? {}
        : { tokens_per_second: Math.round(task.tokensPerStep(step) / seconds) };
    emit({ type: 'step', stage, step: step + 1, steps: task.steps, metrics: { ...last, ...speed } });
    const final = step + 1 === task.steps;
    if (final || (settings.evalEvery > 0 && (step + 1) % settings.evalEvery === 0)) await evaluate(step + 1);
    const due =
      settings.saveEvery > 0 ? (step + 1) % settings.saveEvery === 0 : Date.now() - saved > SAVE_MILLISECONDS;
    if (due && !final) {
      await save(step + 1);
      saved = Date.now();
    }
    // Signals and messages arrive between steps: computing blocks the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { ...last, ...first, ...evaluated };
}

function prefixed(metrics: Metrics, prefix: string): Metrics {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [prefix + name, value]));
}
