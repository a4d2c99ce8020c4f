/** Sampling batches of one fixed shape, again and again with changing weights: what `ppo` and `eval` need. */
import type { Tensor } from '../programs/ops.ts';
import { type Random, random } from '../random/random.ts';
import { Decoder, type DecoderOptions } from './decoder.ts';

export interface SamplerOptions extends DecoderOptions {
  /** Prompts a call, at most; fewer are filled up. */
  readonly batch: number;
  /** Tokens of the longest prompt that will come. */
  readonly maxPrompt: number;
  readonly maxNewTokens: number;
  /** Tokens that end a response. */
  readonly stop: readonly number[];
}

export interface RolloutSampler {
  /**
   * Responses to the prompts, each with its stop token where it has one. `weights`: those that `load` does not freeze.
   * The same prompts, weights and stream give the same tokens.
   */
  sample(
    prompts: readonly Int32Array[],
    weights: ReadonlyMap<string, Tensor>,
    stream?: Random,
  ): Promise<Int32Array[]>;
  dispose(): Promise<void>;
}

function sampler(options: SamplerOptions, temperature: number): RolloutSampler {
  const { batch, maxPrompt, maxNewTokens, stop } = options;
  const decoder = new Decoder(options);
  return {
    async sample(prompts, weights, stream = random(0)) {
      if (prompts.length > batch) throw new Error(`${prompts.length} prompts for a sampler of ${batch}`);
      const filled = Array.from({ length: batch }, (_, i) => prompts[i] ?? prompts[0]!);
      const decoded = await decoder.generate(filled, weights, {
        maxNewTokens,
        stop,
        temperature,
        random: stream,
        promptTokens: maxPrompt,
      });
      return decoded.slice(0, prompts.length);
    },
    dispose: () => decoder.dispose(),
  };
}

/** Draws from the model at a temperature, all tokens allowed, so that the old log-probabilities are the model's own. */
export async function rolloutSampler(
  options: SamplerOptions & { readonly temperature: number },
): Promise<RolloutSampler> {
  return sampler(options, options.temperature);
}

/** Takes the likeliest token at each step. */
export async function greedySampler(options: SamplerOptions): Promise<RolloutSampler> {
  return sampler(options, 0);
}
