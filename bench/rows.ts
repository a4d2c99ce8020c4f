/** THE LIST of what is measured, and against what. */

/** Arguments of a script: `dist/bench/*.js` under node, `bench/peers/*.py` under Python. */
export interface Side {
  readonly script: string;
  readonly options: Readonly<Record<string, number | string>>;
}

export interface Target {
  /** A number of a round: the ratios `speed` and `memory` of two sides, else what the script prints. */
  readonly figure: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Row {
  readonly title: string;
  readonly ours: Side;
  /** `own`: a script of this folder, under node. */
  readonly peer?: Side & { readonly own?: boolean };
  readonly targets: readonly Target[];
}

function loraRow(layers: number, vocabulary: number, answer: number, targets: readonly Target[]): Row {
  const options = { layers, vocabulary, answer };
  const part = answer > 1 ? `, loss on 1/${answer}` : '';
  return {
    title: `LoRA step, ${layers} layers, vocabulary ${vocabulary.toLocaleString('en')}${part}`,
    ours: { script: 'lora-step', options },
    peer: { script: 'lora_step', options },
    targets,
  };
}

const sizes = [
  { layers: 4, vocabulary: 2048 },
  { layers: 8, vocabulary: 2048 },
  { layers: 4, vocabulary: 49_152 },
  { layers: 8, vocabulary: 49_152 },
] as const;

/** Frozen products in eight bits, against PyTorch in bfloat16. */
const int8Rows = sizes.map(
  (options): Row => ({
    title: `LoRA step in int8, ${options.layers} layers, vocabulary ${options.vocabulary.toLocaleString('en')}; the peer in bfloat16`,
    ours: { script: 'lora-step', options: { ...options, precision: 'int8' } },
    peer: { script: 'lora_step', options: { ...options, dtype: 'bf16' } },
    targets: [{ figure: 'speed', atLeast: 1 }],
  }),
);

/** The same, against ourselves in f32. */
const int8GainRows = sizes.map(
  (options): Row => ({
    title: `LoRA step, ${options.layers} layers, vocabulary ${options.vocabulary.toLocaleString('en')}: int8; the peer is ftc in f32`,
    ours: { script: 'lora-step', options: { ...options, precision: 'int8' } },
    peer: { script: 'lora-step', options, own: true },
    targets: [{ figure: 'speed', atLeast: options.vocabulary > 10_000 ? 2.2 : 1.6 }],
  }),
);

const lora: readonly Target[] = [
  { figure: 'speed', atLeast: 1.2 },
  { figure: 'memory', atMost: 1.1 },
];
const answers: readonly Target[] = [
  { figure: 'speed', atLeast: 1.6 },
  { figure: 'memory', atMost: 1.1 },
];

/** One more forward pass: beside forward and two products backward a third, beside forward and one product backward a half. */
function recomputeRow(method: 'full' | 'lora', batch: number, atMost: number): Row {
  const lora = Number(method === 'lora');
  return {
    title: `recompute=blocks, ${method}, 8 layers of width 576, batch ${batch} × 256`,
    ours: { script: 'recompute', options: { lora, batch, steps: 4 } },
    targets: [
      { figure: 'memoryOfKept', atMost },
      { figure: 'sameLosses', atLeast: 1 },
    ],
  };
}

const memorySizes = {
  small: { layers: 4, width: 256, vocabulary: 2048 },
  large: { layers: 8, width: 512, vocabulary: 4096 },
} as const;

/** A few steps of `sft` in an engine of its own, and what the plan said before. */
const memoryRows: readonly Row[] = ['llama', 'gpt2'].flatMap((family) =>
  Object.values(memorySizes).flatMap((size) =>
    ['full', 'freeze layers=1', 'lora r=8', 'qlora r=8', 'lora r=8; precision=int8'].map((method) => ({
      title: `${method}, ${family}, ${size.layers} layers of width ${size.width}`,
      ours: {
        script: 'memory',
        options: {
          family,
          ...size,
          stage: `sft(${method}${method.includes(';') ? '' : ';'} data=rows batch=8 max_steps=4)`,
        },
      },
      targets: [{ figure: 'ratio', atLeast: 0.9, atMost: 1.1 }],
    })),
  ),
);

/** Until a training step can be taken, in a process of its own; then a short one. */
const openRow = (format: 'f32' | 'bf16'): Row => ({
  title: `Opening a checkpoint of 1 GB in ${format} for lora r=8`,
  ours: { script: 'open-checkpoint', options: { gigabytes: 1, format, tokens: 16 } },
  targets: [
    { figure: 'readySeconds', atMost: 5 },
    { figure: 'readyRatio', atMost: 1.3 },
    { figure: 'peakRatio', atMost: 1.3 },
  ],
});

/** Beside llama.cpp, which has the output layer in eight bits too where the others are in four. */
const decodingRow = (quant: '' | 'int8' | 'int4', type: 'f32' | 'q8_0' | 'q4_0'): Row => ({
  title: `Decoding, 30 layers of width 576, ${quant || 'f32'}, one row; the peer is llama.cpp in ${type}`,
  ours: { script: 'generate', options: { quant } },
  peer: { script: 'llama-cpp', options: { type }, own: true },
  targets: [{ figure: 'speed', atLeast: 1 }],
});

const largeRow = (stage: 'sft' | 'pretrain'): Row => ({
  title: `Four steps of ${stage} on 1.5 GB of jsonl, against 0.2 GB`,
  ours: { script: 'large-data', options: { stage, smallMegabytes: 200, megabytes: 1500 } },
  targets: [
    { figure: 'peakMb', atMost: 600 },
    { figure: 'growthMb', atMost: 200 },
    { figure: 'readMbPerSecond', atLeast: 10 },
    { figure: 'planPeakMb', atMost: 600 },
  ],
});

const frozenRow = (what: string, pairs: 0 | 1): Row => ({
  title: `freeze layers=1 of 8 layers of width 256, ${what}, 5 epochs: the frozen blocks once a row`,
  ours: { script: 'frozen-prefix', options: { pairs } },
  targets: [
    { figure: 'processorSpeedup', atLeast: 1.6 },
    { figure: 'largestLossDifference', atMost: 1e-5 },
  ],
});

export const benches: Readonly<Record<string, readonly Row[]>> = {
  lora: [
    loraRow(4, 2048, 1, lora),
    loraRow(8, 2048, 1, lora),
    loraRow(4, 49_152, 1, lora),
    loraRow(8, 49_152, 1, lora),
  ],
  'lora-answers': [loraRow(4, 49_152, 4, answers), loraRow(8, 49_152, 4, answers)],
  int8: int8Rows,
  // The weights of f32 are used as they lie; of bf16 one at a time is widened, the output layer in tiles.
  open: [openRow('f32'), openRow('bf16')],
  'int8-gain': int8GainRows,
  nanogpt: [
    {
      title: "Training nanoGPT's CPU configuration",
      ours: { script: 'nanogpt-step', options: {} },
      peer: { script: 'nanogpt_step', options: {} },
      targets: [{ figure: 'speed', atLeast: 1 }],
    },
  ],
  optimizers: [
    {
      title: 'AdamW over 800,000 numbers',
      ours: { script: 'optimizers', options: {} },
      targets: [{ figure: 'processorNanoseconds', atMost: 3.5 }],
    },
    {
      title: 'Paging the state of AdamW over 50 million numbers',
      ours: { script: 'paging', options: {} },
      targets: [{ figure: 'savedShare', atLeast: 0.95 }],
    },
  ],
  memory: memoryRows,
  generate: [
    {
      title: 'Decoding, 30 layers of width 576, f32, one row',
      ours: { script: 'generate', options: {} },
      peer: { script: 'generate', options: {} },
      targets: [{ figure: 'tokensPerSecond', atLeast: 20 }],
    },
  ],
  'generate-llama-cpp': [decodingRow('', 'f32'), decodingRow('int8', 'q8_0'), decodingRow('int4', 'q4_0')],
  recompute: [recomputeRow('full', 4, 0.85), recomputeRow('lora', 4, 0.85), recomputeRow('lora', 12, 0.65)],
  'large-data': [largeRow('sft'), largeRow('pretrain')],
  frozen: [frozenRow('answers', 0), frozenRow('pairs of rm', 1)],
  startup: [
    {
      title: 'From process start to the first step of quickstart.ftp’s sft',
      ours: { script: 'startup', options: {} },
      targets: [{ figure: 'firstStepSeconds', atMost: 3 }],
    },
  ],
  char: [
    {
      title: "nanoGPT's character model after 2,000 steps (--text: its Shakespeare)",
      ours: { script: 'char', options: {} },
      targets: [
        { figure: 'validationLoss', atMost: 1.95 },
        { figure: 'initialLoss', atLeast: 4.16, atMost: 4.26 },
      ],
    },
  ],
  check: [
    {
      title: 'Checking and planning files',
      ours: { script: 'check', options: {} },
      targets: [
        { figure: 'checkRatio', atMost: 8 },
        { figure: 'stages4000Seconds', atMost: 2 },
        { figure: 'planMedicalSeconds', atMost: 1.5 },
      ],
    },
  ],
};
