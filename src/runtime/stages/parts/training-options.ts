/** Options that every training stage shares. */
import type { OptionSchema } from '../../../compiler/catalog.ts';

type Options = { readonly [name: string]: OptionSchema };

export const seedOption: Options = {
  seed: {
    description: 'start of every random choice: initial weights, order of rows, sampling',
    type: 'integer',
    minimum: 0,
    default: 42,
    defaultFromParam: 'seed',
  },
};

/** Why eight bits have nothing to do beside a method. */
const withoutFrozenProducts: Readonly<Record<string, string>> = {
  full: 'every weight is trained, and int8 is for products with frozen ones',
  qlora: 'the linear layers are in codes already',
};

const precisionOption: Options = {
  precision: {
    description:
      'int8: products with frozen weights are taken in eight bits, forward and backward, but for those where that would lose too much: quicker from a width of some hundreds on, slower below; f32: everything in single precision',
    type: 'string',
    enum: ['f32', 'int8'],
    default: 'f32',
    withoutEffect(_, method = 'full', value = 'int8') {
      const note = withoutFrozenProducts[method];
      return value === 'int8' && note !== undefined ? { beside: method, note } : undefined;
    },
  },
};

export interface TrainingDefaults {
  readonly lr: number;
  /** Adapters start from zero and take larger steps. */
  readonly adapterLr: number;
  readonly batch: number;
  readonly schedule: 'constant' | 'linear' | 'cosine' | 'wsd';
  readonly warmup: number;
  readonly weightDecay: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** Optimizer, schedule, batches and checkpoints, with a stage's own defaults. */
export function trainingOptions(d: TrainingDefaults): Options {
  return {
    lr: {
      description: 'highest learning rate of the schedule',
      type: 'number',
      unit: 'rate',
      exclusiveMinimum: 0,
      defaultNote: `${d.lr}, with lora ${d.adapterLr}`,
      computedDefault: (_, method) => (method?.endsWith('lora') ? d.adapterLr : d.lr),
    },
    schedule: {
      description:
        'how the learning rate moves after the warm-up; wsd: warm-up, stable, decay over the last tenth',
      type: 'string',
      enum: ['constant', 'linear', 'cosine', 'wsd'],
      default: d.schedule,
    },
    warmup: {
      description: 'share of the steps over which the learning rate rises from zero',
      type: 'number',
      unit: 'ratio',
      minimum: 0,
      maximum: 1,
      default: d.warmup,
    },
    final_lr: {
      description: 'learning rate at the end, as a share of lr',
      type: 'number',
      unit: 'ratio',
      minimum: 0,
      maximum: 1,
      default: 0,
    },
    // The catalog adds the choice of optimizers, and everything of their options but the stage's own defaults.
    optimizer: { description: 'how gradients become updates', type: 'string', default: 'adamw' },
    weight_decay: { description: 'decoupled weight decay', type: 'number', default: d.weightDecay },
    beta1: { description: 'decay of the first moment', type: 'number', default: 0.9 },
    beta2: { description: 'decay of the second moment', type: 'number', default: d.beta2 },
    epsilon: { description: 'added to the root of the second moment', type: 'number', default: d.epsilon },
    clip: {
      description: 'largest global norm of the gradients; 0 leaves them as they are',
      type: 'number',
      minimum: 0,
      default: 1,
    },
    batch: {
      description: 'rows of one micro-batch',
      type: 'integer',
      unit: 'count',
      minimum: 1,
      default: d.batch,
    },
    accumulate: {
      description: 'micro-batches of one optimizer step; the loss is normalised over all their tokens',
      type: 'integer',
      unit: 'count',
      minimum: 1,
      default: 1,
    },
    max_steps: {
      description: 'stop after this many optimizer steps; the schedule ends there too',
      type: 'integer',
      unit: 'steps',
      minimum: 1,
      defaultNote: 'what the data give',
    },
    eval_every: {
      description:
        'steps between evaluations on held-out rows; 0: only before the first and after the last step',
      type: 'integer',
      unit: 'steps',
      minimum: 0,
      default: 0,
      cosmetic: true,
    },
    save_every: {
      description: 'steps between checkpoints; 0: once a minute',
      type: 'integer',
      unit: 'steps',
      minimum: 0,
      default: 0,
      cosmetic: true,
    },
    ...precisionOption,
    recompute: {
      description:
        'blocks: compute what is inside a block again for its gradient instead of keeping it (gradient checkpointing), which takes less memory and more time; auto: where the step would not fit',
      type: 'string',
      enum: ['auto', 'none', 'blocks'],
      default: 'auto',
      cosmetic: true,
    },
    ...seedOption,
  };
}

export const dataOption = (description: string): Options => ({
  data: { description, refers: 'data', defaultNote: 'data/<stage>.{txt,jsonl,csv} beside the pipeline file' },
});

/** For a stage that starts from a policy. */
export const modelOption: Options = {
  model: {
    description: 'a model that is there, to start from in place of what the arrow brings',
    refers: 'model',
    opens: 'policy',
  },
};

export const templateOption: Options = {
  template: {
    description: 'chat template (jinja) that renders messages',
    refers: 'template',
    defaultNote: "the pipeline's first template, else the built-in one",
  },
};

export const overlongOption: Options = {
  overlong: {
    description:
      'what happens to a row longer than the context: an error, left out (counted), or cut at its end (counted)',
    type: 'string',
    enum: ['error', 'drop', 'truncate'],
    default: 'error',
  },
};

export const packingOption: Options = {
  packing: {
    description:
      'join documents end to end and cut them into windows; false: each is a sequence of its own, seen without the others',
    type: 'boolean',
    default: true,
  },
};
