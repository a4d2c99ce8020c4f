/** Where a stage's peak memory comes from, part by part. */
import { expect, test } from 'vitest';
import { quantizedBytes } from '../../src/runtime/quantization/quantized-bytes.ts';
import type { Plan, PlannedStage } from '../../src/runtime/run/plan-types.ts';
import { workshops } from './workshop.ts';

const workshop = workshops();
const [WIDTH, BLOCKS, HEADS, CONTEXT, VOCABULARY, INNER] = [64, 2, 2, 32, 300, 96];
const model = `model=llama(layers=${BLOCKS} width=${WIDTH} heads=${HEADS} mlp=${INNER} context=${CONTEXT}) vocabulary=${VOCABULARY}`;
/** Nothing is held out: one program. */
const rows = 'data=jsonl("data/sft.jsonl") → split(test=0)';

/** Of attention and the feed-forward half. */
const linears = [
  ...Array.from({ length: 4 }, () => [WIDTH, WIDTH]),
  ...Array.from({ length: 3 }, () => [INNER, WIDTH]),
];
const sizeOf = (shape: readonly number[]) => shape.reduce((a, n) => a * n, 1);
const LINEAR = 4 * BLOCKS * linears.reduce((n, shape) => n + sizeOf(shape), 0);
const TABLE = 4 * VOCABULARY * WIDTH;
const NORMS = 4 * (2 * BLOCKS + 1) * WIDTH;
const WHOLE = TABLE + LINEAR + NORMS;

const stageOf = (plan: Plan, id: string): PlannedStage => plan.stages.find((stage) => stage.id === id)!;
const partsOf = ({ memory }: PlannedStage): Record<string, number> =>
  Object.fromEntries(memory!.parts.map(({ name, bytes }) => [name, bytes]));

test('training all: weights, their copies, gradients here and there, two moments', async () => {
  const plan = await workshop(`pretrain(${model} max_steps=1)`).plan();
  const stage = stageOf(plan, 'pretrain');
  expect(stage.parameters).toEqual({ total: WHOLE / 4, trainable: WHOLE / 4 });
  expect(partsOf(stage)).toMatchObject({
    weights: WHOLE,
    'trained weights': WHOLE,
    gradients: 2 * WHOLE,
    'optimizer state': 2 * WHOLE,
  });
  expect(partsOf(stage)['packed weights']).toBeUndefined();
  const { parts, peak_bytes } = stage.memory!;
  expect(parts.reduce((n, { bytes }) => n + bytes, 0)).toBe(peak_bytes);
  expect(peak_bytes).toBe(stage.peak_memory_bytes);
  expect(parts.map(({ bytes }) => bytes)).toEqual(parts.map(({ bytes }) => bytes).toSorted((a, b) => b - a));
});

test('an adapter: frozen weights packed for each direction; codes are not packed', async () => {
  const stages = (['lora r=2 targets=q', 'qlora r=2 targets=q'] as const).map(async (method) => {
    const shop = workshop(`pretrain(${model} max_steps=1) → sft(${method}; ${rows} batch=2 max_steps=1)`);
    return stageOf(await shop.plan(), 'sft');
  });
  const [lora, qlora] = await Promise.all(stages);
  const adapter = 4 * BLOCKS * 2 * (WIDTH + WIDTH);
  expect(lora!.parameters!.trainable).toBe(adapter / 4);
  const [kept, coded] = [partsOf(lora!), partsOf(qlora!)];
  for (const parts of [kept, coded])
    expect(parts).toMatchObject({
      'trained weights': adapter,
      gradients: 2 * adapter,
      'optimizer state': 2 * adapter,
    });
  expect(kept.weights).toBe(WHOLE);
  // The head is read forward and, for its mixture of rows, backward; so are all linear layers but those below q of block 0.
  const head =
    2 * 4 * WIDTH * 16 * Math.ceil(VOCABULARY / 16) -
    4 * WIDTH * (16 * Math.ceil(VOCABULARY / 16) - VOCABULARY);
  expect(coded['packed weights']).toBe(head);
  expect(kept['packed weights']).toBeGreaterThan(head + LINEAR);
  expect(kept['packed weights']).toBeLessThan(head + 2 * LINEAR);
  const codes = linears.reduce(
    (n, shape) => n + quantizedBytes(shape, { format: 'nf4', doubleQuantization: true }),
    0,
  );
  expect(coded.weights).toBe(TABLE + NORMS);
  expect(coded['quantized weights']).toBe(BLOCKS * codes);
});

test('codes that an earlier training left keep its adapters beside them: merged after lora, read again after qlora', async () => {
  const planned = ['lora r=16', 'qlora r=16', 'qlora r=16 quant=fp4', 'qlora r=16 dora=true'].map(
    async (first) => {
      const shop = workshop(
        `pretrain(${model} max_steps=1) → one: sft(${first} ${first.startsWith('lora') ? 'targets=all' : ''}; ${rows} batch=2 max_steps=1)
       → two: sft(qlora r=2; ${rows} batch=2 max_steps=1)`,
      );
      return partsOf(stageOf(await shop.plan(), 'two'));
    },
  );
  const [merged, kept, other, scaled] = await Promise.all(planned);
  const earlier = BLOCKS * linears.reduce((n, shape) => n + 4 * 16 * (shape[0]! + shape[1]!), 0);
  expect(kept!.weights).toBe(merged!.weights! + earlier);
  for (const parts of [other, scaled]) expect(parts!.weights).toBe(merged!.weights);
});

test('blocks that are computed again keep fewer activations', async () => {
  const deep = `model=llama(layers=6 width=64 heads=2 context=128) vocabulary=${VOCABULARY}`;
  const planned = ['', ' recompute=blocks'].map(async (options) =>
    partsOf(stageOf(await workshop(`pretrain(${deep} batch=8 max_steps=1${options})`).plan(), 'pretrain')),
  );
  const [plain, repeated] = await Promise.all(planned);
  expect(repeated!.activations).toBeLessThan(0.6 * plain!.activations!);
  expect(repeated!['optimizer state']).toBe(plain!['optimizer state']);
});

test('sampling keeps keys and values; a reward model that shares the base adds what its adapter changes', async () => {
  const shop = workshop(`pretrain(${model} max_steps=1)
    → rm(lora r=2 targets=q; data=jsonl("data/rm.jsonl") batch=2 max_steps=1)
    → ppo(lora r=2 targets=v; prompts=jsonl("data/sft.jsonl") steps=1 batch=4 minibatch=2 max_new_tokens=4)`);
  const plan = await shop.plan();
  const ppo = partsOf(stageOf(plan, 'ppo'));
  const cache = ppo['key/value cache']!;
  const token = 2 * BLOCKS * 4 * WIDTH * 4; // keys and values of four rows
  expect(cache % token).toBe(0);
  expect(cache / token).toBeLessThanOrEqual(CONTEXT + 16);
  expect(cache / token).toBeGreaterThanOrEqual(16);
  const [query, value] = [4 * BLOCKS * WIDTH * WIDTH, 4 * BLOCKS * WIDTH * WIDTH];
  // The base, the reward's own q, two merges of v, and the heads of value and reward.
  expect(ppo.weights).toBe(WHOLE + query + 2 * value + 4 * WIDTH);
});

test('an export takes what answering one conversation takes; what only compares numbers, nothing', async () => {
  const text = `pretrain(${model} max_steps=1) → quick: eval(data=jsonl("data/notes.jsonl") split=all)
    → gate(quick.loss <= 100) → export(to="out")`;
  const plan = await workshop(text).plan();
  const gate = stageOf(plan, 'gate');
  expect(gate.peak_memory_bytes).toBe(0);
  expect(gate.memory).toBeUndefined();
  const parts = partsOf(stageOf(plan, 'export'));
  expect(parts.weights).toBe(WHOLE);
  // The logits of every position.
  expect(parts.activations).toBeGreaterThanOrEqual(4 * CONTEXT * VOCABULARY);
});

test('products in eight bits: codes and scales by themselves, each direction with its own', async () => {
  const shop = workshop(
    `pretrain(${model} max_steps=1) → sft(lora r=2 targets=q; ${rows} batch=2 max_steps=1 precision=int8)`,
  );
  const parts = partsOf(stageOf(await shop.plan(), 'sft'));
  const codes = (shapes: readonly (readonly number[])[], columns: 0 | 1) =>
    shapes.reduce((n, shape) => n + sizeOf(shape) + 4 * shape[columns]!, 0);
  const head = [[VOCABULARY, WIDTH]];
  // Forward x Wᵀ with a scale for each of W's rows; backward x W, but for the products below q of block 0.
  const forward = BLOCKS * codes(linears, 0) + codes(head, 0);
  expect(parts['quantized weights']).toBeGreaterThan(forward);
  expect(parts['quantized weights']).toBeLessThanOrEqual(
    forward + BLOCKS * codes(linears, 1) + codes(head, 1),
  );
});
