/** PPO's losses with gradients, and its arithmetic in double, against PyTorch. */
import { describe, expect, test } from 'vitest';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { gae, moments, whiten } from '../../src/runtime/losses/advantages.ts';
import { adaptiveKl, type KlEstimator, klPenalty, tokenRewards } from '../../src/runtime/losses/kl.ts';
import { linearHead } from '../../src/runtime/losses/linear-head.ts';
import { logProbabilities } from '../../src/runtime/losses/log-probabilities.ts';
import { ppoPolicyLoss } from '../../src/runtime/losses/ppo-policy-loss.ts';
import { ppoValueLoss } from '../../src/runtime/losses/ppo-value-loss.ts';
import { rolloutMetrics } from '../../src/runtime/losses/rollout-metrics.ts';
import { input } from '../../src/runtime/programs/builder.ts';
import type { Node } from '../../src/runtime/programs/program.ts';
import { random } from '../../src/runtime/random/random.ts';
import { expectClose } from '../reference/close.ts';
import { vectors } from '../reference/rl-vectors.ts';
import { f32, i32, runProgram } from './run-program.ts';

const CLOSE = { relative: 2e-6, absolute: 1e-6 };
const EXACT = { relative: 1e-12, absolute: 1e-13 };
const column = (name: string) => input(name, 'f32', [10]);
const flat = (rows: number[][]) => f32(rows.flat());
const weightsOf = (mask: number[][]) => {
  const total = mask.flat().reduce((a, b) => a + b);
  return f32(mask.flat().map((m) => m / total));
};

describe.each([reference, onnx])('programs on $name', (engine) => {
  test('policy loss', async () => {
    const v = vectors.ppo_policy_loss;
    const built = ppoPolicyLoss({
      logProbability: column('new'),
      oldLogProbability: column('old'),
      advantages: column('advantages'),
      weights: column('weights'),
      clip: v.cliprange,
    });
    const feeds = {
      new: flat(v.new_logprobs),
      old: flat(v.old_logprobs),
      advantages: flat(v.advantages),
      weights: weightsOf(v.mask),
    };
    const results = await runProgram(engine, { ...built }, feeds, ['new']);
    const gradient = (v.grad_new_logprobs as number[][]).flat();
    expectClose(results.get('loss')!.data, [v.loss], CLOSE, 'loss');
    expectClose(results.get('clipFraction')!.data, [v.clipfrac], CLOSE, 'clip fraction');
    expectClose(results.get('approxKl')!.data, [v.approxkl], CLOSE, 'approximate KL');
    expectClose(results.get('gradient')!.data, gradient, CLOSE, 'gradient written by hand');
    expectClose(results.get('grad:new')!.data, gradient, CLOSE, 'gradient by the rules');
  });

  test('value loss', async () => {
    const v = vectors.ppo_value_loss;
    const built = ppoValueLoss({
      values: column('values'),
      oldValues: column('old'),
      returns: column('returns'),
      weights: column('weights'),
      clip: v.cliprange_value,
    });
    const feeds = {
      values: flat(v.vpred),
      old: flat(v.old_values),
      returns: flat(v.returns),
      weights: weightsOf(v.mask),
    };
    const results = await runProgram(engine, { ...built }, feeds, ['values']);
    expectClose(results.get('loss')!.data, [v.loss], CLOSE, 'loss');
    expectClose(results.get('clipFraction')!.data, [v.clipfrac], CLOSE, 'clip fraction');
    expectClose(results.get('grad:values')!.data, (v.grad_vpred as number[][]).flat(), CLOSE, 'gradient');
  });

  test('the chunked head carries the policy gradient to hidden states and head', async () => {
    const stream = random(4, 'policy');
    const normal = (n: number) => Array.from({ length: n }, () => stream.normal());
    const feeds = {
      hidden: f32(normal(10 * 4), [10, 4]),
      head: f32(normal(6 * 4), [6, 4]),
      labels: i32(Array.from({ length: 10 }, () => stream.integer(6))),
      old: f32(normal(10).map((x) => x - 2)),
      advantages: f32(normal(10)),
      weights: f32(new Array(10).fill(0.1)),
    };
    const sources = {
      hidden: input('hidden', 'f32', [10, 4]),
      head: input('head', 'f32', [6, 4]),
      labels: input('labels', 'i32', [10]),
      temperature: 0.7,
    };
    const policy = (logProbability: Node) =>
      ppoPolicyLoss({
        logProbability,
        oldLogProbability: column('old'),
        advantages: column('advantages'),
        weights: column('weights'),
        clip: 0.2,
      });
    const plain = policy(logProbabilities(sources).logProbability).loss;
    const head = linearHead({ ...sources, chunkRows: 4, headTrainable: true });
    const { loss, gradient } = policy(head.logProbabilities);
    const wanted = ['hidden', 'head'];
    const expected = await runProgram(engine, { loss: plain }, feeds, wanted);
    const actual = await runProgram(engine, { loss: head.attach(loss, gradient) }, feeds, wanted);
    for (const [name, { data }] of expected) expectClose(actual.get(name)!.data, data, CLOSE, name);
    expect(Math.hypot(...expected.get('grad:head')!.data)).toBeGreaterThan(0.01);
  });
});

describe('arithmetic', () => {
  interface GaeCase {
    readonly gamma: number;
    readonly lam: number;
    readonly rewards: number[][];
    readonly values: number[][];
    readonly advantages: number[][];
    readonly returns: number[][];
  }
  test.each(vectors.gae as GaeCase[])('advantages at gamma $gamma, lambda $lam', (v) => {
    v.rewards.forEach((rewards, row) => {
      const { advantages, returns } = gae(rewards, v.values[row]!, v.gamma, v.lam);
      expectClose(advantages, v.advantages[row]!, EXACT);
      expectClose(returns, v.returns[row]!, EXACT);
    });
  });

  test('advantages of a row cut at its end are those of the padded row', () => {
    const { gamma, lam, rewards, values, mask, advantages } = vectors.gae[0];
    (mask as number[][]).forEach((row, i) => {
      const length = row.reduce((a, b) => a + b);
      const cut = gae(rewards[i].slice(0, length), values[i].slice(0, length), gamma, lam);
      expectClose(cut.advantages, advantages[i].slice(0, length), EXACT);
    });
  });

  test.each([0, 1, 2, 3])('whitening %d', (index) => {
    const { x, mask, shift_mean: shiftMean, unbiased, out, mean, var: variance } = vectors.whiten[index];
    const keep = (rows: number[][]) => rows.map((row, i) => row.filter((_, j) => mask[i][j] === 1));
    const rows = keep(x);
    expectClose(
      whiten(rows, { shiftMean, unbiased }).flatMap((r) => [...r]),
      keep(out).flat(),
      EXACT,
    );
    const { mean: m, variance: v } = moments(rows, unbiased);
    expectClose([m, v], [mean, variance], EXACT);
  });

  interface KlCase {
    readonly estimator: string;
    readonly kl_coef: number;
    readonly logprobs: number[][];
    readonly ref_logprobs: number[][];
    readonly mask: number[][];
    readonly scores: number[];
    readonly kl: number[][];
    readonly rewards: number[][];
    readonly mean_sequence_kl: number;
  }
  const estimators = (vectors.kl_and_rewards as KlCase[]).filter((v) => ['k1', 'k3'].includes(v.estimator));
  test.each(estimators)('penalty $estimator, rewards a token, metrics', (v) => {
    expect(estimators.length).toBe(2);
    const episodes = v.logprobs.map((row, i) => {
      const length = v.mask[i]!.reduce((a, b) => a + b);
      const logProbability = row.slice(0, length);
      const kl = klPenalty(logProbability, v.ref_logprobs[i]!.slice(0, length), v.estimator as KlEstimator);
      expectClose(kl, v.kl[i]!.slice(0, length), EXACT, 'kl');
      expectClose(
        tokenRewards(kl, v.scores[i]!, v.kl_coef),
        v.rewards[i]!.slice(0, length),
        EXACT,
        'rewards',
      );
      return { logProbabilities: logProbability, kl, score: v.scores[i]!, ended: i === 0 };
    });
    const metrics = rolloutMetrics(episodes, v.kl_coef);
    const entropy = -episodes.flatMap((e) => [...e.logProbabilities]).reduce((a, b) => a + b) / 2;
    expectClose(
      Object.values(metrics),
      [v.mean_sequence_kl, entropy, -0.05 * v.mean_sequence_kl, 0.375 - 0.05 * v.mean_sequence_kl, 0.375, 1],
      EXACT,
    );
    expect(Object.keys(metrics)).toEqual([
      'objective/kl',
      'objective/entropy',
      'objective/non_score_reward',
      'objective/rlhf_reward',
      'objective/scores',
      'val/num_eos_tokens',
    ]);
  });

  test('the score may stand one past the end token', () => {
    const v = vectors.rewards_trl_ppov2_placement;
    (v.actual_end as number[]).forEach((end, i) => {
      const policy = (v.logprobs[i] as number[]).map((x, t) => (v.mask[i][t] === 1 ? x : 1));
      const base = (v.ref_logprobs[i] as number[]).map((x, t) => (v.mask[i][t] === 1 ? x : 1));
      const rewards = tokenRewards(klPenalty(policy, base, 'k1'), v.scores[i], v.kl_coef, end);
      expectClose(rewards, v.rewards[i], EXACT);
    });
  });

  test('adaptive coefficient', () => {
    const { init, target, horizon, n_steps: episodes, trace } = vectors.adaptive_kl;
    let coefficient = init;
    for (const { current, value } of trace) {
      coefficient = adaptiveKl(coefficient, { kl: current, target, horizon, episodes });
      expectClose([coefficient], [value], EXACT);
    }
  });
});
