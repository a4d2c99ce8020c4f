/** A small language with realistic schemas, so that the compiler is tested without the runtime. */
import type {
  CallEntry,
  Catalog,
  MethodEntry,
  OptionSchema,
  StageEntry,
} from '../../src/compiler/catalog.ts';

type Options = { readonly [name: string]: OptionSchema };

const count = (description: string, value?: number): OptionSchema => ({
  description,
  type: 'integer',
  unit: 'count',
  minimum: 1,
  ...(value === undefined ? {} : { default: value }),
});

const training: Options = {
  lr: {
    description: 'highest learning rate',
    type: 'number',
    unit: 'rate',
    exclusiveMinimum: 0,
    maximum: 1,
    default: 1e-3,
  },
  epochs: {
    description: 'passes over the data',
    type: 'number',
    unit: 'epochs',
    exclusiveMinimum: 0,
    default: 1,
  },
  batch: count('rows of one step', 8),
  max_steps: {
    description: 'stop after this many steps',
    type: 'integer',
    unit: 'steps',
    minimum: 1,
    defaultNote: 'what the data give',
  },
  schedule: {
    description: 'shape of the learning rate',
    type: 'string',
    enum: ['constant', 'linear', 'cosine', 'wsd'],
    default: 'cosine',
  },
  shuffle: { description: 'a new order in every epoch', type: 'boolean', default: true },
  save_every: {
    description: 'time between checkpoints',
    type: 'number',
    unit: 'seconds',
    exclusiveMinimum: 0,
    default: 60,
    cosmetic: true,
  },
  seed: { description: 'seed of all random choices', type: 'integer', default: 0, defaultFromParam: 'seed' },
};
const data: Options = {
  data: { description: 'rows to learn from', refers: 'data', defaultNote: 'data/<stage>.{txt,jsonl,csv}' },
};
const template: Options = { template: { description: 'chat template', refers: 'template' } };

const pretrain: StageEntry = {
  name: 'pretrain',
  summary: 'trains a tokenizer and a language model on plain text',
  details: 'Next-token loss over packed windows.',
  example: 'pretrain(model=llama(layers=4) data=notes tokens=2M)',
  options: {
    ...data,
    model: { description: 'model to start', refers: 'model', default: 'llama', opens: 'policy' },
    tokens: {
      description: 'tokens to see',
      type: 'integer',
      unit: 'tokens',
      minimum: 1,
      defaultNote: 'one epoch',
    },
    vocabulary: count('size of the vocabulary', 2048),
    ...template,
    ...training,
  },
  methods: ['full'],
  defaultMethod: 'full',
  reads: [],
  writes: ['policy', 'tokenizer', 'template'],
  metrics: ['loss', 'eval_loss'],
  data: { option: 'data', rows: 'text' },
};

const sft: StageEntry = {
  name: 'sft',
  summary: 'teaches a policy to answer',
  example: 'sft(lora r=8 targets=q,v; data=consult)',
  options: {
    ...data,
    ...template,
    model: { description: 'model to start from', refers: 'model', opens: 'policy' },
    overlong: {
      description: 'rows that are too long',
      type: 'string',
      enum: ['error', 'drop', 'truncate'],
      default: 'error',
    },
    ...training,
  },
  methods: ['full', 'freeze', 'lora', 'qlora'],
  defaultMethod: 'full',
  reads: [
    { slot: 'policy', required: true },
    { slot: 'tokenizer', required: true },
    { slot: 'template', required: false },
  ],
  writes: ['policy', 'template'],
  metrics: ['loss', 'mean_token_accuracy'],
  data: { option: 'data', rows: 'prompt and completion, or messages' },
};

const rm: StageEntry = {
  name: 'rm',
  summary: 'trains a reward model on preferences',
  example: 'rm(lora r=8; data=prefs)',
  options: {
    ...data,
    ...template,
    margin: { description: 'margin of the loss', type: 'boolean', default: false },
    ...training,
  },
  methods: ['full', 'freeze', 'lora', 'qlora'],
  defaultMethod: 'lora',
  reads: [
    { slot: 'policy', required: true },
    { slot: 'tokenizer', required: true },
  ],
  writes: ['reward'],
  metrics: ['loss', 'accuracy', 'margin'],
  data: { option: 'data', rows: 'chosen and rejected' },
};

const ppo: StageEntry = {
  name: 'ppo',
  summary: 'aligns a policy with a reward model',
  example: 'ppo(prompts=consult kl=0.05 steps=60)',
  options: {
    prompts: { description: 'prompts to answer', refers: 'data' },
    ...template,
    kl: { description: 'weight of the divergence', type: 'number', minimum: 0, default: 0.05 },
    steps: { description: 'optimizer steps', type: 'integer', unit: 'steps', minimum: 1, default: 30 },
    clip: {
      description: 'range of the ratio',
      type: 'array',
      items: { type: 'number', minimum: 0 },
      minItems: 2,
      default: [0.8, 1.2],
    },
    ...training,
  },
  methods: ['full', 'lora', 'qlora'],
  defaultMethod: 'lora',
  reads: [
    { slot: 'policy', required: true },
    { slot: 'reward', required: true },
    { slot: 'tokenizer', required: true },
  ],
  writes: ['policy'],
  metrics: ['objective/kl', 'objective/scores'],
  data: { option: 'prompts', rows: 'prompt' },
};

const evaluation: StageEntry = {
  name: 'eval',
  summary: 'measures a policy on rows it has not seen',
  example: 'quick: eval(data=consult split=test)',
  options: {
    ...data,
    ...template,
    split: { description: 'which rows', type: 'string', enum: ['train', 'test', 'all'], default: 'test' },
    samples: count('answers that are kept', 5),
    against: { description: 'stage to compare with', refers: 'stage' },
  },
  methods: [],
  reads: [
    { slot: 'policy', required: true },
    { slot: 'tokenizer', required: true },
    { slot: 'reward', required: false },
  ],
  writes: ['metrics'],
  metrics: ['loss', 'perplexity', 'token_accuracy', 'accuracy', 'mean_reward'],
  data: { option: 'data', rows: 'any' },
};

const gate: StageEntry = {
  name: 'gate',
  summary: 'stops the pipeline where a condition does not hold',
  example: 'gate(quick.accuracy >= 0.6)',
  options: {},
  methods: [],
  reads: [{ slot: 'metrics', required: false }],
  writes: [],
  metrics: [],
  conditions: true,
};

const exportStage: StageEntry = {
  name: 'export',
  summary: 'writes the model where you want it',
  example: 'export(to="dist/model")',
  options: {
    to: { description: 'directory to write', type: 'string', path: 'write', position: 0 },
    merge: { description: 'write whole weights', type: 'boolean', default: true },
    shard: {
      description: 'largest file',
      type: 'integer',
      unit: 'bytes',
      minimum: 1,
      default: 5_000_000_000,
      withoutEffect: ({ merge }) =>
        merge === false ? { beside: 'merge=false', note: 'an adapter is one file' } : undefined,
    },
  },
  required: ['to'],
  methods: [],
  reads: [
    { slot: 'policy', required: true },
    { slot: 'tokenizer', required: true },
  ],
  writes: ['files'],
  metrics: [],
};

const rank: Options = {
  r: { description: 'rank of the update', type: 'integer', minimum: 1, default: 8 },
  alpha: {
    description: 'scale of the update',
    type: 'number',
    exclusiveMinimum: 0,
    defaultNote: '2 × r',
    computedDefault: ({ r }) => 2 * Number(r),
  },
  dropout: {
    description: 'share of inputs dropped',
    type: 'number',
    unit: 'ratio',
    minimum: 0,
    exclusiveMaximum: 1,
    default: 0,
  },
  targets: {
    description: 'layers that are adapted',
    type: 'array',
    items: { type: 'string', enum: ['q', 'k', 'v', 'o', 'gate', 'up', 'down', 'all'] },
    minItems: 1,
    uniqueItems: true,
    default: ['q', 'v'],
  },
};

const methods: { readonly [name: string]: MethodEntry } = {
  full: { name: 'full', summary: 'trains every weight', example: 'sft(full)', options: {} },
  freeze: {
    name: 'freeze',
    summary: 'trains the last blocks',
    example: 'sft(freeze layers=2)',
    options: { layers: count('blocks that are trained', 2) },
  },
  lora: {
    name: 'lora',
    summary: 'low-rank adaptation',
    details: 'y = xW + (alpha / r) · xAB',
    example: 'sft(lora r=8)',
    options: rank,
  },
  qlora: {
    name: 'qlora',
    summary: 'low-rank adaptation of quantized weights',
    example: 'sft(qlora r=8 quant=nf4)',
    options: {
      ...rank,
      quant: {
        description: 'number format of the base',
        type: 'string',
        enum: ['nf4', 'int8'],
        default: 'nf4',
      },
      block: count('weights that share a scale', 64),
      double_quant: { description: 'quantize the scales as well', type: 'boolean', default: true },
    },
  },
};

const sizes: Options = {
  layers: count('blocks', 4),
  width: count('size of the hidden state', 128),
  heads: count('attention heads', 4),
  context: { description: 'longest sequence', type: 'integer', unit: 'tokens', minimum: 1, default: 128 },
};

const path: OptionSchema = { description: 'files, a glob', type: 'string', path: 'read', position: 0 };
const source = (name: string, example: string, more: Options = {}): CallEntry => ({
  name,
  summary: `rows of ${name} files`,
  example,
  options: { path, ...more },
  required: ['path'],
});

const open: StageEntry = {
  name: 'open',
  summary: 'a model that is already there',
  example: 'open(local("base"))',
  options: { model: { description: 'the model', refers: 'model', position: 0 } },
  required: ['model'],
  methods: [],
  reads: [],
  writes: ['policy', 'tokenizer'],
  metrics: [],
};

export const fixture: Catalog = {
  stages: { open, pretrain, sft, rm, ppo, eval: evaluation, gate, export: exportStage },
  methods,
  optimizers: {},
  models: {
    llama: {
      name: 'llama',
      summary: 'RMSNorm, rotary positions, SwiGLU',
      example: 'llama(layers=4)',
      options: sizes,
      weights: 'new',
    },
    gpt2: {
      name: 'gpt2',
      summary: 'LayerNorm, learned positions',
      example: 'gpt2(layers=4)',
      options: sizes,
      weights: 'new',
    },
    local: {
      name: 'local',
      summary: 'a model in a directory',
      example: 'local("base")',
      options: {
        path: { description: 'its directory', type: 'string', position: 0, path: 'read' },
      },
      required: ['path'],
      weights: 'existing',
    },
    hf: {
      name: 'hf',
      summary: 'a model of a hub',
      example: 'hf("org/name")',
      options: {
        name: { description: 'organisation and name', type: 'string', position: 0, path: 'read' },
        rev: { description: 'branch, tag or commit', type: 'string', default: 'main' },
      },
      required: ['name'],
      weights: 'existing',
    },
  },
  sources: {
    text: source('text', 'data notes = text("notes/*.txt")'),
    jsonl: source('jsonl', 'data consult = jsonl("consult.jsonl")'),
    csv: source('csv', 'data visits = csv("visits.csv")', {
      separator: { description: 'character between columns', type: 'string', default: ',' },
    }),
    mix: {
      name: 'mix',
      summary: 'rows of several data together',
      example: 'data both = mix(notes consult weights=3,1)',
      options: {
        inputs: { description: 'data to mix', type: 'array', refers: 'data', position: 0 },
        weights: {
          description: 'share of each',
          type: 'array',
          items: { type: 'number', exclusiveMinimum: 0 },
          defaultNote: 'every row once',
        },
      },
      required: ['inputs'],
    },
  },
  operators: {
    split: {
      name: 'split',
      summary: 'which rows are held out',
      example: 'data visits = csv("visits.csv") → split(test=10% by=patient_id)',
      options: {
        test: {
          description: 'share held out',
          type: 'number',
          unit: 'ratio',
          exclusiveMinimum: 0,
          exclusiveMaximum: 1,
          default: 0.05,
        },
        by: { description: 'column that decides', type: 'string' },
      },
    },
    sample: {
      name: 'sample',
      summary: 'some of the rows',
      example: 'data some = jsonl("rows.jsonl") → sample(100)',
      options: {
        rows: { ...count('rows to keep'), position: 0 },
        seed: { description: 'seed of the choice', type: 'integer', default: 0, defaultFromParam: 'seed' },
      },
      required: ['rows'],
    },
    columns: {
      name: 'columns',
      summary: 'which column is what',
      example: 'data consult = csv("consult.csv") → columns(prompt=问题 completion=回答)',
      options: Object.fromEntries(
        ['text', 'prompt', 'completion', 'chosen', 'rejected'].map((field) => [
          field,
          { description: `column that holds the ${field}`, type: 'string' },
        ]),
      ),
    },
  },
  defaultTemplate: '{% for m in messages %}{{ m.content }}{% endfor %}',
};
