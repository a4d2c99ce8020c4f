/** `precision=int8`: the same run, nearly the same numbers, stopped and resumed without a difference. */
import { beforeAll, describe, expect, test } from 'vitest';
import { compile } from '../../src/compiler/compile.ts';
import { catalog } from '../../src/runtime/catalog.ts';
import { atStep, type Said, TINY, workshops } from './workshop.ts';

const workshop = workshops();

const text = (precision: string) => `
pretrain(${TINY} max_steps=20)
→ sft(lora r=4 targets=q,v; max_steps=8 batch=4 precision=${precision})
→ rm(lora r=2; max_steps=4 batch=4 precision=${precision})
→ ppo(lora r=2; steps=3 batch=4 minibatch=2 epochs=2 max_new_tokens=5 precision=${precision})`;

let [exact, coded]: Said[] = [];
beforeAll(async () => {
  [exact, coded] = [await workshop(text('f32')).run(), await workshop(text('int8')).run()];
  for (const said of [exact, coded]) expect(said.end).toMatchObject({ status: 'ok' });
});

const messages = (said: Said, stage: string) =>
  said.of('message', stage).flatMap(({ text }) => (text.startsWith('int8: ') ? [text] : []));

describe.each([
  ['sft', 'loss'],
  ['rm', 'loss'],
] as const)('%s', (stage, metric) => {
  test('the loss of every step is within two per cent of f32, and another number', () => {
    const [expected, actual] = [exact!.series(stage, metric), coded!.series(stage, metric)];
    expect(actual).toHaveLength(expected.length);
    actual.forEach((loss, i) => {
      expect(Math.abs(loss / expected[i]! - 1), `step ${i + 1}`).toBeLessThan(0.02);
    });
    expect(actual).not.toEqual(expected);
  });
});

test('policy and reference of ppo round alike: they agree before the first update', () => {
  expect(coded!.series('ppo', 'objective/kl')[0]).toBeCloseTo(0, 6);
  expect(coded!.series('ppo', 'val/ratio')[0]).toBeGreaterThan(0.9);
});

test('says what was measured, once for every product', () => {
  expect(messages(exact!, 'sft')).toEqual([]);
  const counts = (stage: string) =>
    messages(coded!, stage).map((line) => Number(/\d+/.exec(line.slice(4))![0]));
  // Forward: seven of the one block, the head, and the head's mixture for the entropy. Backward: back to v and q.
  expect(counts('sft')).toEqual([9, 4]);
  // No head; everything in the one program that there is.
  expect(counts('rm')).toEqual([11]);
  // The scorer, then what the gradient multiplies.
  expect(counts('ppo')).toEqual([8, 5]);
});

test('beside freeze: the frozen blocks, once a row, and the head', async () => {
  const frozen = (precision: string) => `
pretrain(model=llama(layers=2 width=32 heads=2 context=32) vocabulary=300 max_steps=10)
→ sft(freeze layers=1; batch=4 epochs=2 precision=${precision})`;
  const [f32, int8] = [await workshop(frozen('f32')).run(), await workshop(frozen('int8')).run()];
  const [expected, actual] = [f32.series('sft', 'loss'), int8.series('sft', 'loss')];
  expect(actual).toHaveLength(12);
  actual.forEach((loss, i) => {
    expect(Math.abs(loss / expected[i]! - 1), `step ${i + 1}`).toBeLessThan(0.02);
  });
  expect(messages(int8, 'sft')).toHaveLength(2);
});

test('gpt2, whose weights lie the other way round, and recompute, which changes nothing', async () => {
  const tuned = (options: string) => `
pretrain(model=gpt2(layers=2 width=32 heads=2 context=32) vocabulary=300 max_steps=10)
→ sft(lora r=4 targets=q,v; batch=4 max_steps=6 ${options})`;
  const runs = await Promise.all(
    ['', 'precision=int8', 'precision=int8 recompute=blocks'].map((options) =>
      workshop(tuned(options)).run(),
    ),
  );
  const [f32, int8, blocks] = runs.map((said) => said.series('sft', 'loss'));
  int8!.forEach((loss, i) => {
    expect(Math.abs(loss / f32![i]! - 1), `step ${i + 1}`).toBeLessThan(0.02);
  });
  expect(blocks).toEqual(int8);
});

test.each(['sft', 'ppo'])('%s stopped and resumed is as if uninterrupted', async (stage) => {
  const shop = workshop(text('int8'));
  await shop.run({ stopAfter: atStep(stage, 2) });
  const resumed = await shop.run();
  expect(resumed.of('stage_started', stage)[0]).toMatchObject({ action: 'resume', from_step: 2 });
  expect(resumed.artifacts).toEqual(coded!.artifacts);
});

const undecided = 'which frozen products stay in f32 is measured on the first batch, and said then';

describe('the plan says which products stay in f32', () => {
  const pipeline = (lr: number) =>
    `pretrain(${TINY} max_steps=2) → sft(lora r=4 targets=q,v; lr=${lr} max_steps=6 batch=4 precision=int8)`;
  /** The products of forward and backward that the run named, as one line. */
  const decision = expect.stringMatching(
    /^int8: 13 products with frozen weights, each within [\d.]+ % of f32$/,
  );
  const notesOf = async (shop: ReturnType<typeof workshop>) =>
    (await shop.plan()).stages[1]!.notes.filter((note) => /int8|frozen products/.test(note));

  test('before it ran, when it was stopped, after it ran, and when something else changed', async () => {
    const shop = workshop(pipeline(0.01));
    expect(await notesOf(shop)).toEqual([undecided]);
    await shop.run({ stopAfter: atStep('sft', 2) });
    expect((await shop.plan()).stages[1]).toMatchObject({ action: 'resume' });
    expect(await notesOf(shop)).toEqual([decision]);
    await shop.run();
    expect((await shop.plan()).stages[1]).toMatchObject({ action: 'cached' });
    const [decided] = await notesOf(shop);
    expect(decided).toEqual(decision);
    shop.pipeline(pipeline(0.02));
    expect(await notesOf(shop)).toEqual([
      `when it last ran on this base and these rows, ${decided}`,
      undecided,
    ]);
    shop.pipeline(pipeline(0.02).replace('max_steps=2)', 'max_steps=3)'));
    expect(await notesOf(shop)).toEqual([undecided]);
  });
});

test.each([
  ['pretrain(precision=int8)', 'full'],
  ['pretrain → sft(precision=int8)', 'full'],
  ['pretrain → sft(qlora; precision=int8)', 'qlora'],
])('%s: there is nothing to take in eight bits', (source, method) => {
  const { diagnostics } = compile({ path: 'a.ftp', text: source }, { catalog });
  expect(diagnostics).toMatchObject([{ name: 'without-effect' }]);
  expect(diagnostics[0]!.message).toBe(`\`precision\` does nothing beside \`${method}\``);
});

describe('the plan of freeze and int8', () => {
  const whole = 'layers=1 parts=attention,mlp,norms,embeddings';
  const plan = (method: string) =>
    workshop(
      `pretrain(${TINY} max_steps=1) → sft(freeze ${method}; batch=4 max_steps=1 precision=int8)`,
    ).plan();

  test('refuses it where every weight is trained, and promises no measurement', async () => {
    const { stages, diagnostics } = await plan(whole);
    expect(diagnostics).toMatchObject([
      { code: 'FTP2024', stage: 'sft', message: '`precision` does nothing beside `freeze`' },
    ]);
    expect(stages[1]!.notes).not.toContain(undecided);
  });

  test.each(['layers=1', whole.replace('mlp,', '')])(
    'takes it where something is frozen: %s',
    async (method) => {
      const { stages, diagnostics } = await plan(method);
      expect(diagnostics).toEqual([]);
      expect(stages[1]!.notes).toContain(undecided);
    },
  );
});

test('f32 beside any method is no mistake', () => {
  const { diagnostics } = compile({ path: 'a.ftp', text: 'pretrain(precision=f32)' }, { catalog });
  expect(diagnostics).toEqual([]);
});
