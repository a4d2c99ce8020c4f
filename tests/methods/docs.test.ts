/** The docs of methods, optimizers and stages: their numbers are those of the code, and they tell what tutorials get wrong. */
import { describe, expect, test } from 'vitest';
import { catalog } from '../../src/runtime/catalog.ts';
import { adam8bit } from '../../src/runtime/optimizers/adam8bit.ts';
import { adamw } from '../../src/runtime/optimizers/adamw.ts';
import { quantizedBytes } from '../../src/runtime/quantization/quantized-bytes.ts';

const shape = [4096, 4096];
const weights = 4096 * 4096;
const page = (kind: 'methods' | 'optimizers' | 'stages', name: string) =>
  catalog[kind]![name]!.details!.replace(/\s+/g, ' ');

const bytes = (optimizer: typeof adamw) => optimizer({}).stateBytes(new Map([['w', shape]])).memory / weights;

test('lora: what an adapter of a large matrix has of its numbers', () => {
  const trained = 8 * (4096 + 4096);
  expect(weights / trained).toBe(256);
  expect(page('methods', 'lora')).toContain(
    `r=8 ${trained.toLocaleString('en')}, 1/256 or ${((100 * trained) / weights).toFixed(2)} % of it`,
  );
});

test('qlora: bits a weight', () => {
  const bits = (doubleQuantization: boolean) =>
    Number(
      ((8 * quantizedBytes(shape, { format: 'nf4', block: 64, doubleQuantization })) / weights).toFixed(3),
    );
  expect(page('methods', 'qlora')).toContain(`: ${bits(false)} bits a weight.`);
  expect(page('methods', 'qlora')).toContain(`: ${bits(true)} bits.`);
});

test('adamw and adam8bit: bytes of state a trained number', () => {
  expect(page('optimizers', 'adamw')).toContain(`${bytes(adamw)} bytes of state a trained number`);
  expect(page('optimizers', 'adam8bit')).toContain(
    `${bytes(adam8bit as typeof adamw).toFixed(2)} bytes of state a trained number instead of ${bytes(adamw)}`,
  );
});

test('full: weights, gradients and both moments', () => {
  const { BYTES_PER_ELEMENT: number } = Float32Array;
  expect(page('methods', 'full')).toContain(`${2 * number + bytes(adamw)} bytes a weight`);
});

/** What popular tutorials say otherwise, by its number in the list that this project was written against. */
describe.each([
  [
    'lora',
    'methods',
    {
      1: 'No decomposition of W is involved.',
      2: 'loralib starts at alpha=1, PEFT at 8, QLoRA used 16 with r=64. ',
      3: 'dividing by r is there so that another r needs no other alpha',
      4: '`y = W x + (alpha / r) · B A x`',
      5: 'added in parallel; W itself is never multiplied with it',
      6: 'The paper adapts attention alone',
      7: '(GPT-3 with r=4 on q and v: a 10,000th)',
      8: 'What is assumed to have a low rank is the change that fine-tuning makes, not W.',
      9: 'differ little, which is its whole reason for q,v',
      10: 'GLUE, E2E, DART, WebNLG, WikiSQL and SAMSum',
    },
  ],
  [
    'qlora',
    'methods',
    {
      11: 'A code is the number of a value in a table, and nothing is computed with codes',
      12: 'what is saved is memory, not time',
      13: 'sixteen values placed after the quantiles of the normal distribution (8 positive, 7 negative, one zero)',
      14: 'roughly as many weights are near each of them',
      15: 'round(127 w / scale)',
      16: 'their largest magnitude, and get the nearest value',
      17: 'takes the mean of all scales away and keeps what is left in eight bits, in blocks of 256 that share a scale in f32',
      18: 'beside the 16 bits a weight that large checkpoints have',
    },
  ],
  [
    'paged_adamw',
    'optimizers',
    {
      20: 'Only the state of the optimizer is paged; weights, gradients and activations stay in memory.',
      21: 'are read before their numbers are updated and written back after',
    },
  ],
  [
    'rm',
    'stages',
    { 22: 'it learns from comparisons, which of two answers is better, not from scores that people gave' },
  ],
  [
    'ppo',
    'stages',
    {
      23: 'The reward model reads each finished answer once; what single tokens were worth comes from the value.',
      24: 'without it (`kl=0`) it comes upon answers that the reward model mistakes for good ones',
      25: 'One pass is what most recipes do',
    },
  ],
] as const)('%s', (name, kind, told) => {
  test.each(Object.entries(told))('says what is true of point %s', (_, sentence) => {
    expect(page(kind, name)).toContain(sentence);
  });
});

test('recompute: what gradient checkpointing is, and that it costs time (19)', () => {
  const { description } = catalog.stages.sft!.options.recompute!;
  expect(description).toMatch(
    /again for its gradient .*\(gradient checkpointing\).* less memory and more time/,
  );
});
