/** What sampled answers are worth to whom: log-probabilities of policy and reference, values, rewards. */
import type { Executor } from '../../executables/executable.ts';
import type { Tensor } from '../../programs/ops.ts';
import type { Judge } from './judge.ts';
import type { Table } from './ppo-update.ts';
import { type Episode, type RolloutShape, rolloutFeeds } from './rollout-batch.ts';
import { joined } from './sequences.ts';

export interface EpisodeMeasures {
  /** Of `scoreProgram`; the trained tensors are fed. */
  readonly scorer: Executor;
  /** Of `referenceProgram`. */
  readonly reference: Executor;
  readonly score: Judge;
  readonly shape: RolloutShape;
  readonly trained: ReadonlyMap<string, Tensor>;
}

export interface MeasuredEpisodes {
  readonly episodes: readonly Episode[];
  readonly logProbability: Table;
  readonly reference: Table;
  readonly values: Table;
  /** On the reward model's own scale. */
  readonly raw: readonly number[];
}

/** In batches of `shape.size`; rows are cut to the tokens of each response. */
export async function measureEpisodes(
  episodes: readonly Episode[],
  { scorer, reference, score, shape, trained }: EpisodeMeasures,
): Promise<MeasuredEpisodes> {
  const logProbability: ArrayLike<number>[] = [];
  const frozen: ArrayLike<number>[] = [];
  const values: ArrayLike<number>[] = [];
  for (let first = 0; first < episodes.length; first += shape.size) {
    const part = episodes.slice(first, first + shape.size);
    const feeds = rolloutFeeds(part, shape);
    const own = await scorer.run(new Map([...feeds, ...trained]));
    const before = await reference.run(feeds);
    part.forEach(({ response }, b) => {
      const start = b * shape.response;
      const cut = (tensor: Tensor) => tensor.data.subarray(start, start + response.length);
      logProbability.push(cut(own.get('logProbability')!));
      values.push(cut(own.get('value')!));
      frozen.push(cut(before.get('logProbability')!));
    });
  }
  const raw = await score(episodes.map(({ prompt, response }) => joined(prompt, response)));
  return { episodes, logProbability, reference: frozen, values, raw };
}
