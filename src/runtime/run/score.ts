/** Log-probabilities, losses and rewards of sequences: a model looked at from outside. */
import type { Executable, Executor } from '../executables/executable.ts';
import { onnx } from '../executables/onnx/onnx.ts';
import type { ModelShape } from '../models/model.ts';
import type { Tensor } from '../programs/ops.ts';
import { LazyWeights } from '../stages/lazy-weights.ts';
import { rewardProgram, SCORE } from '../stages/parts/reward-programs.ts';
import type { Policy, Reward } from '../stages/stage.ts';
import { finishProgram } from './program-passes.ts';
import type { ScoreInput } from './score-input.ts';
import { tokenScoresProgram } from './score-program.ts';

export interface TokenScores {
  readonly ids: readonly number[];
  /** log p of every token after the first. */
  readonly logprobs: readonly number[];
  /** Mean of −log p over the tokens that count, in nats; null where none does. */
  readonly loss: number | null;
  readonly perplexity: number | null;
  /** How many tokens count. */
  readonly loss_tokens: number;
}

export interface RewardScore {
  readonly ids: readonly number[];
  readonly reward: number;
}

export type Score = TokenScores | RewardScore;

const SHORTEST = 16;
/** Tokens of a batch, where there are enough sequences. */
const BATCH_TOKENS = 512;
/** Programs that are loaded at once; they share the weights. */
const MOST_LOADED = 8;

export class Scorer {
  private readonly loaded = new Map<string, Executor>();
  private readonly weights: ReadonlyMap<string, Tensor>;
  private readonly shape: ModelShape;

  constructor(
    private readonly model: Policy | Reward,
    private readonly executable: Executable = onnx,
  ) {
    this.shape = model.family.shape(model.config);
    this.weights = 'score' in model ? withScore(model) : model.weights;
  }

  /** In the order of the inputs, each of 1 to `context` tokens. */
  async score(inputs: readonly ScoreInput[]): Promise<Score[]> {
    const byLength = new Map<number, number[]>();
    inputs.forEach(({ ids }, i) => {
      const length = paddedLength(ids.length, this.shape);
      byLength.set(length, [...(byLength.get(length) ?? []), i]);
    });
    const scores: Score[] = [];
    for (const [length, indices] of byLength) {
      const most = Math.max(1, Math.floor(BATCH_TOKENS / length));
      for (let first = 0; first < indices.length; ) {
        const size = indices.length - first >= most ? most : 1;
        const part = indices.slice(first, (first += size));
        const found = await this.batch(
          part.map((i) => inputs[i]!),
          length,
        );
        part.forEach((i, b) => {
          scores[i] = found[b]!;
        });
      }
    }
    return scores;
  }

  async dispose(): Promise<void> {
    for (const executor of this.loaded.values()) await executor.dispose();
    this.loaded.clear();
  }

  private async batch(inputs: readonly ScoreInput[], length: number): Promise<Score[]> {
    const count = inputs.length;
    const ids = new Int32Array(count * length);
    inputs.forEach((input, b) => {
      ids.set(input.ids, b * length);
    });
    const executor = await this.executor(count, length);
    const feeds = new Map<string, Tensor>([['ids', { dtype: 'i32', shape: [count, length], data: ids }]]);
    if ('score' in this.model) {
      const last = Int32Array.from(inputs, (input, b) => b * length + input.ids.length - 1);
      feeds.set('last', { dtype: 'i32', shape: [count], data: last });
      const rewards = (await executor.run(feeds)).get('rewards')!.data;
      return inputs.map((input, b) => ({ ids: [...input.ids], reward: rewards[b]! }));
    }
    const next = new Int32Array(ids.length);
    next.set(ids.subarray(1));
    feeds.set('next', { dtype: 'i32', shape: [ids.length], data: next });
    const found = (await executor.run(feeds)).get('logProbability')!.data;
    return inputs.map((input, b) =>
      tokenScores(input, [...found.subarray(b * length, b * length + input.ids.length - 1)]),
    );
  }

  /** The last used stay loaded. */
  private async executor(batch: number, length: number): Promise<Executor> {
    const key = `${batch}x${length}`;
    const { family, config } = this.model;
    const spec = { family, config, batch, length };
    const build = () => ('score' in this.model ? rewardProgram(spec) : tokenScoresProgram(spec));
    const executor =
      this.loaded.get(key) ??
      (await this.executable.load(finishProgram(build), { frozen: this.weights, memory: 'small' }));
    this.loaded.delete(key);
    this.loaded.set(key, executor);
    for (const [oldest, unused] of this.loaded) {
      if (this.loaded.size <= MOST_LOADED) break;
      this.loaded.delete(oldest);
      await unused.dispose();
    }
    return executor;
  }
}

/** A few static shapes: powers of two up to the context, and what is exact where padding would change the numbers. */
function paddedLength(tokens: number, { context, fixedUpTo = context }: ModelShape): number {
  if (tokens > fixedUpTo) return tokens;
  return Math.min(2 ** Math.ceil(Math.log2(Math.max(tokens, SHORTEST))), context, fixedUpTo);
}

function withScore({ weights, score }: Reward): ReadonlyMap<string, Tensor> {
  const read = (name: string) => (name === SCORE ? score : weights.get(name)!);
  return new LazyWeights({ names: [...weights.keys(), SCORE], read });
}

function tokenScores({ ids, counted }: ScoreInput, logprobs: readonly number[]): TokenScores {
  const counting = logprobs.filter((_, i) => counted[i + 1] === 1);
  const loss = counting.length === 0 ? null : -counting.reduce((sum, p) => sum + p, 0) / counting.length;
  return {
    ids: [...ids],
    logprobs,
    loss,
    perplexity: loss === null ? null : Math.exp(loss),
    loss_tokens: counting.length,
  };
}
