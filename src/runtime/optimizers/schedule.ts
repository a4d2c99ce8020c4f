/** Learning rates over the steps of a stage, as factors of the highest. */

export type ScheduleKind = 'constant' | 'linear' | 'cosine' | 'wsd';

export interface ScheduleOptions {
  readonly kind: ScheduleKind;
  /** Optimizer steps in all. */
  readonly steps: number;
  /** Steps over which the factor rises from its lowest: step 0 has it, step `warmupSteps` has 1. */
  readonly warmupSteps?: number;
  /** Factor that linear, cosine and wsd end at. Default 0. */
  readonly minimum?: number;
  /** wsd: steps of the decay at the end. Default: a tenth of the steps. */
  readonly decaySteps?: number;
  /** wsd: how it decays. Default linear. */
  readonly decay?: 'linear' | 'cosine' | '1-sqrt';
}

/** Falling from 1 to 0 as `progress` goes from 0 to 1. */
const shapes = {
  linear: (progress: number) => 1 - progress,
  cosine: (progress: number) => (1 + Math.cos(Math.PI * progress)) / 2,
  '1-sqrt': (progress: number) => 1 - Math.sqrt(progress),
};

/**
 * Factor of optimizer step `step`, counted from 0: the first step of a warm-up has factor 0 (wsd: `minimum`), as
 * Hugging Face's schedules do. wsd holds 1 between warm-up and decay.
 * @see https://arxiv.org/abs/2404.06395 section 4 for wsd
 */
export function scheduleFactor(step: number, options: ScheduleOptions): number {
  const { kind, steps, warmupSteps = 0, minimum = 0, decay = 'linear' } = options;
  if (step < warmupSteps) {
    const rising = step / warmupSteps;
    return kind === 'wsd' ? minimum + (1 - minimum) * rising : rising;
  }
  if (kind === 'constant') return 1;
  const decaySteps = kind === 'wsd' ? (options.decaySteps ?? Math.ceil(steps / 10)) : steps - warmupSteps;
  const progress = (step - (steps - decaySteps)) / Math.max(1, decaySteps);
  const shape = shapes[kind === 'wsd' ? decay : kind];
  return minimum + (1 - minimum) * shape(Math.min(1, Math.max(0, progress)));
}
