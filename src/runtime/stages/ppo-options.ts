/** What `ppo` is called, takes and reports. */
import type { StageEntry } from '../../compiler/catalog.ts';
import { modelOption, overlongOption, templateOption, trainingOptions } from './parts/training-options.ts';

const { accumulate: _accumulate, ...training } = trainingOptions({
  lr: 5e-4,
  adapterLr: 1e-3,
  batch: 64,
  schedule: 'linear',
  warmup: 0,
  weightDecay: 0,
  beta2: 0.999,
  epsilon: 1e-5,
});

export const ppoEntry: StageEntry = {
  name: 'ppo',
  summary: 'aligns the policy with the reward model by proximal policy optimization',
  details: `Each step samples a batch of answers, scores them with the reward model at their last token, subtracts
kl · (log π − log π_ref) at every token, computes generalized advantages and takes \`epochs\` passes of clipped updates over
minibatches (https://arxiv.org/abs/1707.06347; https://arxiv.org/abs/2203.02155). The reference is the policy that reached
the stage. Policy, reference and reward share one copy of the base weights where they are adapters; the value is a head on
the policy's hidden states, zero at the start. Rewards are standardised by the mean and deviation of the first batch.

The reward model reads each finished answer once; what single tokens were worth comes from the value. The penalty keeps the
policy near the reference: without it (\`kl=0\`) it comes upon answers that the reward model mistakes for good ones. One pass
is what most recipes do; new preferences for the answers of the new policy, and another round, are an option.

\`epsilon\` is 1e-5, as in OpenAI's implementations: with adamw's usual 1e-8 numbers that hardly ever get a gradient, such
as those of tokens that are never sampled, move as far as all others, and a policy can collapse
(https://iclr-blog-track.github.io/2022/03/25/ppo-implementation-details/, detail 3).

Metrics carry TRL's names; \`reward/mean\` is the reward model's own scale.`,
  example: 'ppo(lora r=8; prompts=jsonl("data/prompts.jsonl") kl=0.05 steps=60)',
  methods: ['full', 'freeze', 'lora', 'qlora'],
  defaultMethod: 'lora',
  reads: [
    { slot: 'policy', required: true },
    { slot: 'reward', required: true },
    { slot: 'tokenizer', required: false },
  ],
  writes: ['policy', 'metrics'],
  metrics: [
    'objective/kl',
    'objective/scores',
    'objective/rlhf_reward',
    'objective/entropy',
    'reward/mean',
    'policy/approxkl_avg',
    'val/ratio',
  ],
  data: { option: 'prompts', rows: 'prompts: prompt, or messages' },
  options: {
    prompts: {
      description: 'rows whose prompts are answered: `prompt`, prompt and completion, or `messages`',
      refers: 'data',
      defaultNote: 'data/<stage>.{jsonl,csv} beside the pipeline file',
    },
    ...modelOption,
    reward: {
      description: 'a reward model that is there, in place of what the arrow brings',
      refers: 'model',
      opens: 'reward',
    },
    ...templateOption,
    overlong: {
      ...overlongOption.overlong!,
      description: 'what happens to a prompt that leaves no room for the answer',
    },
    steps: {
      description: 'updates: each samples a batch of answers',
      type: 'integer',
      unit: 'steps',
      minimum: 1,
      default: 30,
    },
    ...training,
    max_steps: {
      ...training.max_steps!,
      description: 'stop after this many updates',
      defaultNote: '`steps`',
    },
    batch: {
      description: 'answers sampled an update',
      type: 'integer',
      unit: 'count',
      minimum: 2,
      default: 64,
    },
    minibatch: {
      description: 'answers of one gradient step',
      type: 'integer',
      unit: 'count',
      minimum: 1,
      default: 32,
    },
    epochs: {
      description: 'passes over the answers of an update',
      type: 'integer',
      unit: 'epochs',
      minimum: 1,
      default: 4,
    },
    max_new_tokens: {
      description: 'longest answer',
      type: 'integer',
      unit: 'tokens',
      minimum: 1,
      default: 32,
    },
    temperature: {
      description: 'divides the logits, when sampling and in the objective alike',
      type: 'number',
      exclusiveMinimum: 0,
      default: 1,
    },
    kl: {
      description: 'weight of the divergence from the reference',
      type: 'number',
      minimum: 0,
      default: 0.05,
    },
    kl_estimator: {
      description: 'k1: log π − log π_ref; k3: its low-variance, non-negative form',
      type: 'string',
      enum: ['k1', 'k3'],
      default: 'k1',
    },
    kl_target: {
      description:
        'adapt the weight of the divergence towards this divergence an answer (Ziegler et al., 2019); 0 keeps it fixed',
      type: 'number',
      minimum: 0,
      default: 0,
    },
    kl_horizon: {
      description: 'answers over which the weight adapts',
      type: 'integer',
      unit: 'count',
      minimum: 1,
      default: 10000,
    },
    gamma: { description: 'discount', type: 'number', minimum: 0, maximum: 1, default: 1 },
    lambda: {
      description: 'of generalized advantage estimation',
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.95,
    },
    clip_ratio: {
      description: 'how far the probability ratio counts',
      type: 'number',
      exclusiveMinimum: 0,
      default: 0.2,
    },
    clip_value: {
      description: 'how far the value may move from its old estimate',
      type: 'number',
      exclusiveMinimum: 0,
      default: 0.2,
    },
    value_weight: { description: 'weight of the value loss', type: 'number', minimum: 0, default: 0.1 },
    missing_eos_penalty: {
      description: 'subtracted from the score of an answer that does not end',
      type: 'number',
      minimum: 0,
      default: 1,
    },
  },
};
