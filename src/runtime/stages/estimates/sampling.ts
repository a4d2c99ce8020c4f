/** What sampling answers with a key/value cache would cost: the two programs of decoding, and the cache. */
import { prefillProgram, stepProgram } from '../../generation/decoding-programs.ts';
import type { PlannedModel, PlannedWork, Treatment } from '../stage.ts';
import { roundUp } from './sizes.ts';

export interface SampledRows {
  /** Rows at once. */
  readonly batch: number;
  /** Tokens of the longest prompt. */
  readonly prompt: number;
  readonly maxNewTokens: number;
  /** How often a batch is sampled. */
  readonly times: number;
  /** Of a base that stays in codes, which its session keeps; every weight is fed where it is not given. */
  readonly treatment?: Pick<Treatment, 'adapt' | 'quantized'>;
}

/** Prompts and the cache have room in steps of so many tokens. */
const STEP = 16;

export function sampling(
  { family, config }: PlannedModel,
  { batch, prompt, maxNewTokens, times, treatment }: SampledRows,
): { readonly work: PlannedWork[]; readonly cacheBytes: number } {
  const { context, blocks, keyValueHeads, headSize } = family.shape(config);
  const tokens = Math.min(context, roundUp(prompt, STEP));
  const capacity = roundUp(tokens + maxNewTokens, STEP);
  const model = { family, config };
  const how = treatment ?? ({ weights: 'fed' } as const);
  return {
    cacheBytes: 4 * 2 * blocks * batch * keyValueHeads * capacity * headSize,
    work: [
      { program: prefillProgram(model, batch, tokens), ...how, runs: times },
      { program: stepProgram(model, batch, capacity), ...how, runs: times * Math.max(0, maxNewTokens - 1) },
    ],
  };
}
