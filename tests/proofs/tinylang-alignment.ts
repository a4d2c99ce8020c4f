/**
 * What a policy is worth: E[score] − beta · KL from fresh samples, and the optimum over all policies under the same
 * reference, beta · ln E_reference[exp(score / beta)]. R response tokens, V vocabulary.
 */

import type { Executor } from '../../src/runtime/executables/executable.ts';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { rolloutSampler } from '../../src/runtime/generation/rollout.ts';
import { gatherRows, input, logSoftmax, matmul, program } from '../../src/runtime/programs/builder.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import type { Program } from '../../src/runtime/programs/program.ts';
import { random } from '../../src/runtime/random/random.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import { PolicyLoader } from '../../src/runtime/run/policies.ts';
import { judge } from '../../src/runtime/stages/parts/judge.ts';
import { hiddenRows } from '../../src/runtime/stages/parts/language-model-program.ts';
import { type Episode, rolloutFeeds } from '../../src/runtime/stages/parts/rollout-batch.ts';
import type { Policy } from '../../src/runtime/stages/stage.ts';
import { openStore } from '../../src/runtime/store/store.ts';
import { firstPositive, negative, positive } from '../pipelines/tinylang-optima.ts';

const SIZE = 256;
const LENGTH = 16;
const RESPONSE = 8;

const load = (built: Program, frozen?: ReadonlyMap<string, Tensor>) =>
  onnx.load(optimize(built), { ...(frozen && { frozen }) });

/** Policies and the reward model of a run. */
interface Aligned {
  readonly reference: Policy;
  readonly policy: Policy;
  /** Rewards on the reward model's own scale. */
  readonly rewards: (episodes: readonly Episode[]) => Promise<number[]>;
}

export async function openAligned(
  directory: string,
  hashes: { readonly reference: string; readonly policy: string; readonly reward: string },
): Promise<Aligned> {
  const store = await openStore(directory, { write: false });
  const loader = new PolicyLoader((hash) => store.artifact(hash));
  const score = await judge({ load }, await loader.reward(hashes.reward), { size: SIZE, length: LENGTH });
  return {
    reference: await loader.policy(hashes.reference),
    policy: await loader.policy(hashes.policy),
    rewards: (episodes) =>
      score(episodes.map(({ prompt, response }) => Int32Array.of(...prompt, ...response))),
  };
}

/** Responses of a policy at temperature 1, as many to each noun's prompt: a list a noun. */
export async function sampleResponses(
  { family, config, tokenizer, weights, stop }: Policy,
  perPrompt: number,
  seed: number,
): Promise<Episode[][]> {
  const prompts = Object.keys(firstPositive).map((noun) => tokenizer.encode(`the ${noun} was`));
  const sampler = await rolloutSampler({
    family,
    config,
    load,
    batch: SIZE,
    maxPrompt: Math.max(...prompts.map((p) => p.length)),
    maxNewTokens: RESPONSE,
    temperature: 1,
    stop,
    pad: tokenizer.pad,
  });
  const sampled: Episode[][] = [];
  for (const [n, prompt] of prompts.entries()) {
    const episodes: Episode[] = [];
    while (episodes.length < perPrompt) {
      const count = Math.min(SIZE, perPrompt - episodes.length);
      const stream = random(seed, 'proof', n, episodes.length);
      const responses = await sampler.sample(
        Array.from({ length: count }, () => prompt),
        weights,
        stream,
      );
      episodes.push(...responses.map((response) => ({ prompt, response })));
    }
    sampled.push(episodes);
  }
  await sampler.dispose();
  return sampled;
}

/** Log-probabilities (B·R, V) of every next token along the responses. */
function nextTokens({ family, config, weights }: Policy): Promise<Executor> {
  const hidden = hiddenRows({ family, config, batch: SIZE, length: LENGTH });
  const rows = gatherRows(hidden, input('rows', 'i32', [SIZE * RESPONSE]));
  const logits = matmul(rows, family.head(config), { transposeB: true });
  return load(program('next-tokens', { logs: logSoftmax(logits) }), weights);
}

/**
 * KL(policy ‖ reference) of a response: at each of its tokens the divergence of the two whole distributions, which has
 * less variance than the difference of the sampled token's log-probabilities (k1); both are unbiased.
 */
export async function divergence(
  { policy, reference }: Aligned,
  episodes: readonly Episode[],
): Promise<{ readonly exact: number; readonly k1: number }> {
  const [own, other] = [await nextTokens(policy), await nextTokens(reference)];
  const { vocabularySize: V } = policy.family.shape(policy.config);
  let [exact, k1] = [0, 0];
  for (let first = 0; first < episodes.length; first += SIZE) {
    const part = episodes.slice(first, first + SIZE);
    const all = rolloutFeeds(part, { size: SIZE, length: LENGTH, response: RESPONSE });
    const feeds = new Map([...all].filter(([name]) => name !== 'labels'));
    const p = (await own.run(feeds)).get('logs')!.data;
    const q = (await other.run(feeds)).get('logs')!.data;
    for (const [b, { response }] of part.entries()) {
      for (const [t, token] of response.entries()) {
        const row = (b * RESPONSE + t) * V;
        for (let v = 0; v < V; v++) exact += Math.exp(p[row + v]!) * (p[row + v]! - q[row + v]!);
        k1 += p[row + token]! - q[row + token]!;
      }
    }
  }
  await own.dispose();
  await other.dispose();
  return { exact: exact / episodes.length, k1: k1 / episodes.length };
}

/** Whether a response ended in time. */
export const ended = ({ stop }: Policy, { response }: Episode): boolean => stop.includes(response.at(-1)!);

/** The language's own reward: positive minus negative adjectives; −1 without an end. */
export function ruleReward(policy: Policy, episode: Episode): number {
  if (!ended(policy, episode)) return -1;
  const words = policy.tokenizer.decode(episode.response.subarray(0, -1)).trim().split(' ');
  return words.reduce((sum, w) => sum + Number(positive.includes(w)) - Number(negative.includes(w)), 0);
}
