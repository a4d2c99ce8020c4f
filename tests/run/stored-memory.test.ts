/** Memory of large models from their configs, in numbers of 16 bits, against the papers; no weight is made. */
import { describe, expect, test } from 'vitest';
import { methods } from '../../src/runtime/catalog.ts';
import type { AppliedMethod } from '../../src/runtime/methods/method.ts';
import { llama } from '../../src/runtime/models/llama.ts';
import type { ModelConfig } from '../../src/runtime/models/model.ts';
import { adamw } from '../../src/runtime/optimizers/adamw.ts';
import { paged } from '../../src/runtime/optimizers/paged.ts';
import { sizeOf } from '../../src/runtime/programs/program.ts';
import type { PlannedStage } from '../../src/runtime/run/plan-types.ts';
import { llamaSizes } from '../reference/llama-sizes.ts';
import { modelMemory } from './model-memory.ts';
import { lines, tinyData } from './tiny-data.ts';
import { workshops } from './workshop.ts';

const workshop = workshops();

const GB = 1e9;

interface Size {
  readonly width: number;
  readonly blocks: number;
  readonly heads: number;
  readonly inner: number;
}

function configOf({ width, blocks, heads, inner }: Size): ModelConfig {
  return {
    model_type: 'llama',
    hidden_size: width,
    num_hidden_layers: blocks,
    num_attention_heads: heads,
    intermediate_size: inner,
    vocab_size: 32_000,
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-6,
    tie_word_embeddings: false,
  };
}

const apply = (name: string, config: ModelConfig, options = {}): AppliedMethod =>
  methods[name]!.apply(
    {
      config,
      parameters: llama.parameters(config),
      linears: llama.linears(config),
      blocks: llama.blocks(config),
    },
    options,
  );

const qlora = (config: ModelConfig) =>
  apply('qlora', config, { r: 64, alpha: 16, targets: ['all'], quant: 'nf4', double_quant: true });

const count = (specs: readonly { readonly shape: readonly number[] }[]) =>
  specs.reduce((n, { shape }) => n + sizeOf(shape), 0);

const row = { family: llama, batch: 1, length: 512 };

describe.each(Object.entries(llamaSizes))('LLaMA %s', (_, size) => {
  const config = configOf(size);

  test('has the parameters of the paper; at two bytes and two moments each takes twelve', () => {
    expect(count(llama.parameters(config))).toBe(size.parameters);
    const { parts } = modelMemory({
      ...row,
      config,
      method: apply('full', config),
      optimizer: adamw(),
      recompute: 'blocks',
    });
    const kept = parts.filter(({ name }) => name !== 'activations');
    expect(kept.reduce((n, { bytes }) => n + bytes, 0)).toBe(12 * size.parameters);
  });

  test('in NF4 with double quantization: the arithmetic ≤ what is planned ≤ what the paper used, and a tenth', () => {
    // Nothing is trained: the model computes its loss.
    const quantized = qlora(config).quantized!;
    const method: AppliedMethod = { ...apply('freeze', config), trainable: [], quantized };
    const { peakBytes, parts } = modelMemory({ ...row, config, method });
    const bytes = (name: string) => parts.find((part) => part.name === name)!.bytes / GB;
    expect(bytes('quantized weights')).toBeCloseTo(size.linearsGB, 1);
    expect(bytes('weights')).toBeCloseTo(size.restGB, 1);
    expect(peakBytes / GB).toBeGreaterThanOrEqual(size.linearsGB + size.restGB - 0.01);
    expect(peakBytes / GB).toBeLessThanOrEqual(1.1 * size.paperGB);
  });
});

describe('65B', () => {
  const config = configOf(llamaSizes['65B']);
  const step = { ...row, config, recompute: 'blocks' } as const;

  test('by qlora r=64, a row of 512 tokens, blocks computed again: below 48 GB', () => {
    const method = qlora(config);
    expect(count(method.added)).toBe(799_539_200);
    const { peakBytes, parts } = modelMemory({ ...step, method, optimizer: adamw() });
    expect(peakBytes).toBeLessThan(48 * GB);
    const rounded = Object.fromEntries(
      parts.map(({ name, bytes }) => [name, Number((bytes / GB).toFixed(2))]),
    );
    expect(rounded).toMatchObject({
      'quantized weights': 33.41,
      weights: 1.05,
      'trained weights': 1.6,
      gradients: 1.6,
      'optimizer state': 6.4,
    });
    const openPages = () => {
      throw new Error('a plan keeps no state');
    };
    const inFile = modelMemory({ ...step, method, optimizer: paged(adamw(), openPages) });
    expect(peakBytes - inFile.peakBytes).toBeGreaterThan(6.3 * GB);
  });

  test('as a whole: more than 780 GB', () => {
    const method = apply('full', config);
    expect(modelMemory({ ...step, method, optimizer: adamw() }).peakBytes).toBeGreaterThan(780 * GB);
  });
});

test('without computing blocks again a row of 7B takes several times the activations', () => {
  const config = configOf(llamaSizes['7B']);
  const method = qlora(config);
  const [none, blocks] = (['none', 'blocks'] as const).map((recompute) =>
    modelMemory({ ...row, config, method, optimizer: adamw(), recompute }).parts.find(
      ({ name }) => name === 'activations',
    ),
  );
  expect(none!.bytes).toBeGreaterThan(4 * blocks!.bytes);
});

test.each([
  // All gradients together are much more than what the blocks keep: with them, the head is what is left.
  ['full', {}, 1],
  ['lora', { r: 64, targets: ['all'] }, 0.35],
])(
  '%s: what a block’s weights get is computed before the gradient goes on to the next one',
  (name, options, share) => {
    const config = configOf({ ...llamaSizes['7B'], blocks: 8 });
    const method = apply(name, config, options);
    const [none, blocks] = (['none', 'blocks'] as const).map(
      (recompute) =>
        modelMemory({ ...row, config, method, optimizer: adamw(), recompute }).parts.find(
          (part) => part.name === 'activations',
        )!.bytes,
    );
    expect(blocks!).toBeLessThanOrEqual(share * none!);
  },
);

test('65B from its config.json alone, on a device of 48 GB with numbers of 16 bits', async () => {
  const config = configOf(llamaSizes['65B']);
  const rows = lines([0, 1].map((i) => ({ prompt: `${i} `.repeat(800), completion: 'yes' })));
  const planned = (method: string) =>
    workshop(
      `sft(${method}; model=local("65B") data=jsonl("rows.jsonl") → split(test=0) batch=1 max_steps=1 recompute=blocks)`,
      { 'rows.jsonl': rows, '65B/config.json': JSON.stringify(config) },
    ).plan(undefined, { memoryBytes: 48 * GB, numbers: 'bf16' });

  const { stages, diagnostics, device_numbers } = await planned('qlora r=64');
  expect(device_numbers).toBe('bf16');
  expect(diagnostics.map(({ code }) => code)).toEqual(['FTP5011']);
  const { tokens, memory } = stages[1]!;
  // 0.3 tokens a byte of the prompt, more for the answer.
  expect(tokens).toBeGreaterThan(480);
  expect(tokens).toBeLessThan(512);
  expect(memory!.fits).toBe(true);
  expect(memory!.peak_bytes).toBeGreaterThan(43 * GB);
  const whole = await planned('full');
  expect(whole.stages[1]!.memory!.fits).toBe(false);
  expect(whole.stages[1]!.peak_memory_bytes).toBeGreaterThan(780 * GB);
  expect(whole.stages[1]!.peak_memory_bytes).toBeLessThan(800 * GB);
  const fits = whole.stages[1]!.memory!.fixes!.filter((fix) => fix.fits);
  expect(fits.map(({ change }) => change)).toEqual(['qlora']);
}, 60_000);

test('a directory that holds a config.json and nothing else is planned, and not run', async () => {
  const config = configOf(llamaSizes['7B']);
  const shop = workshop(
    'sft(qlora r=8; model=local("7B") data=jsonl("data/sft.jsonl") batch=1 max_steps=1 recompute=blocks)',
    { ...tinyData, '7B/config.json': JSON.stringify(config) },
  );
  const { stages, diagnostics } = await shop.plan(undefined, { memoryBytes: 8 * GB });
  const [opened, sft] = stages as [PlannedStage, PlannedStage];
  expect(opened.parameters).toEqual({ total: 6_738_415_616, trainable: 0 });
  expect(opened.notes).toContain('no tokenizer is here: tokens are estimated, 0.3 a byte of text');
  expect(sft).toMatchObject({ action: 'run', memory: { fits: true } });
  const bytes = (name: string) => sft.memory!.parts.find((part) => part.name === name)!.bytes / GB;
  expect(bytes('quantized weights')).toBeCloseTo(llamaSizes['7B'].linearsGB, 1);
  // In f32, as this engine computes.
  expect(bytes('weights')).toBeCloseTo(2 * llamaSizes['7B'].restGB, 1);
  expect(diagnostics).toMatchObject([{ severity: 'warning', code: 'FTP5011', span: { line: 1 } }]);
  expect(opened.notes).toContain(
    'its weights are not here: it is planned from config.json, and cannot be run',
  );
  expect(diagnostics[0]!.message).toContain('7B: holds no weights that ftc reads');
  expect(diagnostics[0]!.help).toEqual([expect.stringMatching(/^put model\.safetensors there, .* a plan$/)]);

  const whole = await shop.plan(undefined, { memoryBytes: 6 * GB });
  expect(whole.diagnostics.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
    'warning FTP5011',
    'error FTP4001',
  ]);
  expect(whole.stages[1]!.memory).toMatchObject({ fits: false });
});

test('lora r=8 of a matrix of 4096 × 4096: 65,536 numbers, 0.39 %', () => {
  const config = configOf({ ...llamaSizes['7B'], blocks: 1 });
  const { added } = apply('lora', config, { r: 8, targets: ['q'] });
  expect(count(added)).toBe(65_536);
  expect((100 * count(added)) / 4096 ** 2).toBe(0.390625);
});
