/** `ppo`: reinforcement learning from the reward model, with a KL penalty towards the policy it started from. */
import { rolloutSampler } from '../generation/rollout.ts';
import { moments } from '../losses/advantages.ts';
import { adaptiveKl } from '../losses/kl.ts';
import type { Tensor } from '../programs/ops.ts';
import { random } from '../random/random.ts';
import { estimatePpo } from './estimates/ppo.ts';
import { eightBitOf } from './parts/eight-bit.ts';
import { judge } from './parts/judge.ts';
import { measureEpisodes } from './parts/measure-episodes.ts';
import { RowOrder } from './parts/padded-batches.ts';
import {
  ppoProgram,
  referenceProgram,
  scoreProgram,
  VALUE_BIAS,
  VALUE_WEIGHT,
} from './parts/ppo-programs.ts';
import { readPrompts, showSamples } from './parts/ppo-prompts.ts';
import { advantagesOf, optimisationMetrics, type Rollout, type Table } from './parts/ppo-update.ts';
import { columnFeed, type RolloutShape, rolloutFeeds } from './parts/rollout-batch.ts';
import { longestIn } from './parts/stored-sequences.ts';
import { addedTensors, initialize, trainedModel } from './parts/training.ts';
import { ppoEntry } from './ppo-options.ts';
import type { Stage } from './stage.ts';
import { StageError } from './stage.ts';

export const ppo: Stage = {
  entry: ppoEntry,
  estimate: estimatePpo,

  async run(context) {
    const options = context.job.options;
    const number = (name: string) => Number(options[name]);
    const seed = number('seed');
    const policy = await context.policy();
    const reward = await context.reward();
    if (!reward) throw new StageError('missing-slot', 'no reward model reaches this stage');
    const { family, config, tokenizer } = policy;
    const prompts = await readPrompts(context, policy);
    const longest = longestIn(prompts);
    const response = number('max_new_tokens');
    const batch = number('batch');
    const size = Math.min(number('minibatch'), batch);
    const { width, context: most } = family.shape(config);
    const length = Math.min(most, Math.ceil((longest + response) / 8) * 8);
    const shape: RolloutShape = { size, length, response };
    const steps = Math.min(number('steps'), Number(options.max_steps ?? Number.POSITIVE_INFINITY));

    const heads = [
      initialize({ name: VALUE_WEIGHT, shape: [1, width], initializer: { kind: 'zeros' } }, seed),
      initialize({ name: VALUE_BIAS, shape: [1], initializer: { kind: 'zeros' } }, seed),
    ];
    const method = context.method(policy);
    const model = trainedModel(
      policy,
      method,
      seed,
      new Map([
        [VALUE_WEIGHT, heads[0]!],
        [VALUE_BIAS, heads[1]!],
      ]),
    );
    const spec = {
      family,
      config,
      batch: size,
      length: shape.length,
      response,
      temperature: number('temperature'),
    };
    const { quantized } = method;
    // Policy and reference round alike, so that they agree where the policy has not moved.
    const eightBit = eightBitOf(options, method);
    const scorer = await context.load(scoreProgram(spec), model.frozen, {
      adapt: method,
      quantized,
      eightBit,
    });
    const reference = await context.load(referenceProgram(spec), quantized ? model.frozen : policy.weights, {
      quantized,
      eightBit,
    });
    const score = await judge(context, reward, { size, length: shape.length });
    const trainer = context.trainer({
      model,
      program: () =>
        ppoProgram({
          ...spec,
          clipRatio: number('clip_ratio'),
          clipValue: number('clip_value'),
          valueWeight: number('value_weight'),
        }),
      // With dropout the ratio would not be 1 on the first pass.
      dropout: false,
    });
    const sampler = await rolloutSampler({
      family,
      config,
      // Merging needs the whole base; one in codes samples with its adapters beside it.
      ...(quantized
        ? { method, load: (p) => context.load(p, model.frozen, { quantized }) }
        : { load: (p) => context.load(p) }),
      batch,
      maxPrompt: longest,
      maxNewTokens: response,
      temperature: spec.temperature,
      stop: policy.stop,
      pad: tokenizer.pad,
    });
    const order = new RowOrder(prompts.count, seed);
    let kl = number('kl');
    let base: { mean: number; deviation: number } | undefined;

    /** The policy's weights as they are now, adapters merged unless the base is in codes: what answers are sampled with. */
    const current = (): ReadonlyMap<string, Tensor> => {
      if (quantized) return model.trainable;
      const changed = method.adapter?.merge(policy.weights, addedTensors(model)) ?? model.trainable;
      return new Map([...policy.weights].map(([name, value]) => [name, changed.get(name) ?? value]));
    };

    const measures = { scorer, reference, score, shape, trained: model.trainable };
    const rollOut = async (step: number): Promise<Rollout & { raw: readonly number[] }> => {
      const chosen = order.take(step * batch, batch).map((i) => prompts.ids(i));
      const responses = await sampler.sample(chosen, current(), random(seed, 'rollout', step));
      const measured = await measureEpisodes(
        chosen.map((prompt, i) => ({ prompt, response: responses[i]! })),
        measures,
      );
      base ??= standard(measured.raw);
      const { mean, deviation } = base;
      const ended = responses.map((r) => policy.stop.includes(r.at(-1)!));
      const penalty = number('missing_eos_penalty');
      const scores = measured.raw.map((r, i) => (r - mean) / deviation - (ended[i] ? 0 : penalty));
      return { ...measured, scores, ended };
    };

    const metrics = await context.loop({
      trainer,
      steps,
      async step(step) {
        const rollout = await rollOut(step);
        const computed = advantagesOf(rollout, {
          kl,
          estimator: options.kl_estimator === 'k3' ? 'k3' : 'k1',
          gamma: number('gamma'),
          lambda: number('lambda'),
        });
        const learningRate = context.learningRate(step, steps);
        const sums: ReadonlyMap<string, number>[] = [];
        let norm = 0;
        for (let epoch = 0; epoch < number('epochs'); epoch++) {
          const shuffled = random(seed, 'minibatches', step, epoch).permutation(batch);
          for (let first = 0; first < batch; first += size) {
            const picked = [...shuffled.subarray(first, first + size)];
            const part = <T>(table: readonly T[]) => picked.map((i) => table[i]!);
            const tokens = part(rollout.episodes).reduce((n, e) => n + e.response.length, 0);
            const column = (table: Table) => columnFeed(part(table), shape);
            const feeds = new Map([
              ...rolloutFeeds(part(rollout.episodes), shape),
              ['old', column(rollout.logProbability)],
              ['advantages', column(computed.advantages)],
              ['returns', column(computed.returns)],
              ['values', column(rollout.values)],
              [
                'weights',
                column(rollout.logProbability.map((row) => new Float64Array(row.length).fill(1 / tokens))),
              ],
            ] as const);
            const result = await trainer.accumulate([{ key: 'ppo', feeds }], step);
            norm = await trainer.apply(result.gradients, learningRate);
            sums.push(result.sums);
          }
        }
        const coefficient = kl;
        if (number('kl_target') > 0) {
          const measured = computed.metrics['objective/kl']!;
          kl = adaptiveKl(kl, {
            kl: measured,
            target: number('kl_target'),
            horizon: number('kl_horizon'),
            episodes: batch,
          });
        }
        if (step === 0 || step === steps - 1) showSamples(context, step, policy, rollout);
        return {
          ...computed.metrics,
          ...optimisationMetrics(sums),
          'reward/mean': rollout.raw.reduce((a, b) => a + b, 0) / batch,
          'objective/kl_coef': coefficient,
          lr: learningRate,
          grad_norm: norm,
          episode: (step + 1) * batch,
        };
      },
      state: () => ({ kl, ...(base && { mean: base.mean, deviation: base.deviation }) }),
      restore(state) {
        kl = state.kl ?? kl;
        if (state.mean !== undefined && state.deviation !== undefined)
          base = { mean: state.mean, deviation: state.deviation };
      },
    });
    await context.savePolicy(model);
    return { metrics };
  },
};

/** Mean and deviation of the first rewards; a constant reward keeps its scale. */
function standard(rewards: readonly number[]): { mean: number; deviation: number } {
  const { mean, variance } = moments([rewards], true);
  return { mean, deviation: Math.sqrt(variance) || 1 };
}
