/** The training loop: steps, events, evaluation, checkpoints, resume, stopping. */
import type { Tensor } from '../programs/ops.ts';
import { type CheckpointTensor, type LoopTask, Stopped } from '../stages/stage.ts';
import { diverged, isDivergence, requireFinite, withKept } from './divergence.ts';
import type { Metrics, RunEvent } from './events.ts';

/** What a checkpoint holds beside tensors: numbers of the loop and the stage. */
export interface CheckpointNumbers {
  readonly step: number;
  readonly state: Readonly<Record<string, number>>;
  /** What the held-out evaluation before the first step gave, so that a resumed run still knows it. */
  readonly first: Metrics;
}

export interface Checkpoint extends CheckpointNumbers {
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
}

export interface SavedCheckpoint extends CheckpointNumbers {
  /** One tensor of it. Errors: StageError `broken-checkpoint`. */
  tensor(name: string): Promise<Tensor>;
  close(): Promise<void>;
}

export interface Checkpoints {
  /** The newest; undefined where there is none. Errors: StageError `broken-checkpoint`. */
  read(): Promise<SavedCheckpoint | undefined>;
  /** Keeps the one before it until `accept` or `reject`. */
  write(checkpoint: Checkpoint): Promise<void>;
  /** The newest one is good: a step from it gave finite numbers. */
  accept(): Promise<void>;
  /** The newest one is not: the one before it comes back. */
  reject(): Promise<void>;
  /** Step of the newest. */
  step(): Promise<number | undefined>;
}

export interface LoopSettings {
  readonly stage: string;
  /** Steps between evaluations; 0: before the first and after the last only. */
  readonly evalEvery: number;
  /** Steps between checkpoints; 0: once a minute. */
  readonly saveEvery: number;
  readonly checkpoints: Checkpoints;
  stopping(): boolean;
  emit(event: RunEvent): void;
}

const SAVE_MILLISECONDS = 60_000;
/** The first checkpoint comes sooner: what diverges often does so early, and should leave something. */
const FIRST_SAVE_MILLISECONDS = 5_000;

/** Errors: Stopped after the running step was saved; StageError `diverged`; whatever a step throws. */
export async function loop(task: LoopTask, settings: LoopSettings): Promise<Metrics> {
  const { stage, checkpoints, emit } = settings;
  let from = 0;
  let last: Metrics = {};
  let evaluated: Metrics = {};
  let first: Metrics = {};
  /** Updates at the newest checkpoint until one more was made: its weights may be finite and of no use. */
  let unproved: number | undefined;
  const updates = () => task.trainer.updates;

  const evaluate = async (step: number) => {
    if (!task.evaluate) return;
    const measured = await task.evaluate(step);
    if (measured.loss !== undefined && !Number.isFinite(measured.loss))
      throw diverged(`the held-out loss after step ${step} is ${measured.loss}`);
    evaluated = prefixed(measured, 'eval_');
    emit({ type: 'evaluated', stage, step, metrics: evaluated });
  };
  const save = async (step: number) => {
    const tensors = task.trainer.checkpoint();
    await requireFinite(tensors, step);
    await checkpoints.write({ step, tensors, state: task.state?.() ?? {}, first });
    unproved = updates();
    emit({ type: 'checkpoint', stage, step });
  };
  const take = async (step: number) => {
    const started = performance.now();
    last = await task.step(step);
    const seconds = (performance.now() - started) / 1000;
    if (unproved !== undefined) await checkpoints.accept();
    unproved = undefined;
    const speed =
      task.tokensPerStep === undefined
        ? {}
        : { tokens_per_second: Math.round(task.tokensPerStep(step) / seconds) };
    emit({ type: 'step', stage, step: step + 1, steps: task.steps, metrics: { ...last, ...speed } });
  };
  const steps = async () => {
    let saved = Date.now();
    let wait = resumed ? SAVE_MILLISECONDS : FIRST_SAVE_MILLISECONDS;
    for (let step = from; step < task.steps; step++) {
      if (settings.stopping()) {
        if (unproved !== updates()) await save(step);
        throw new Stopped(`stopped at step ${step} of ${task.steps}`);
      }
      await take(step);
      const done = step + 1;
      const final = done === task.steps;
      if (final) await requireFinite(task.trainer.checkpoint(), done);
      if (final || (settings.evalEvery > 0 && done % settings.evalEvery === 0)) await evaluate(done);
      const due = settings.saveEvery > 0 ? done % settings.saveEvery === 0 : Date.now() - saved > wait;
      if (due && !final) {
        await save(done);
        saved = Date.now();
        wait = SAVE_MILLISECONDS;
      }
      // Signals and messages arrive between steps: computing blocks the event loop.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  const resumed = await checkpoints.read();
  if (resumed) {
    await task.trainer.restore(resumed.tensor).finally(resumed.close);
    task.restore?.(resumed.state);
    from = resumed.step;
    first = resumed.first;
    unproved = updates();
  } else {
    await evaluate(0);
    first = prefixed(evaluated, 'initial_');
  }
  try {
    await steps();
  } catch (error) {
    if (!isDivergence(error)) throw error;
    if (unproved === updates()) await checkpoints.reject();
    throw withKept(error, await checkpoints.step());
  }
  return { ...last, ...first, ...evaluated };
}

function prefixed(metrics: Metrics, prefix: string): Metrics {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [prefix + name, value]));
}
