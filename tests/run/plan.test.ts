/** The plan says what the run does, and finds what is wrong before it. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lines, sftRows, tinyData } from './tiny-data.ts';
import { TINY, workshops } from './workshop.ts';

const workshop = workshops();
const pretrain = `pretrain(${TINY} max_steps=2)`;

test('keys, steps and order are those of the run', async () => {
  const shop = workshop(`
${pretrain}
→ sft(data=jsonl("data/sft.jsonl") → split(test=25%) lora r=2; batch=4 epochs=2)
→ quick: eval(data=jsonl("data/sft.jsonl") → split(test=25%) generate=false batch=4)
→ gate(quick.loss <= 100)
→ rm(lora r=2; batch=8 accumulate=2 epochs=1)
→ ppo(lora r=2; steps=2 batch=3 minibatch=2 max_new_tokens=3)
→ export(to="out")`);
  const plan = await shop.plan();
  const said = await shop.run({ plan });
  expect(said.end.status).toBe('ok');
  expect(said.of('stage_started').map((e) => e.stage)).toEqual(plan.stages.map((s) => s.id));
  for (const stage of plan.stages) {
    const steps = said.of('step', stage.id);
    const trained = ['pretrain', 'sft', 'rm', 'ppo'].includes(stage.kind);
    expect(steps.length, stage.id).toBe(trained ? stage.steps : 0);
    expect(said.of('stage_started', stage.id)[0]!.steps).toBe(stage.steps);
  }
  expect(plan.stages.map((s) => s.steps)).toEqual([2, 9, 2, 0, 2, 2, 0]);
  const again = await shop.plan();
  expect(again.stages.map((s) => s.key)).toEqual(plan.stages.map((s) => s.key));
  expect(again.stages.map((s) => s.action)).toEqual(plan.stages.map(() => 'cached'));
  expect(again.totals).toMatchObject({ stages_to_run: 0, steps: 0, tokens: 0, peak_memory_bytes: 0 });
  shop.write('out/config.json', '{}');
  expect((await shop.plan()).stages.at(-1)).toMatchObject({
    action: 'run',
    reason: '`out` is gone or was changed',
  });
});

test('what an eval cannot measure is told before anything runs', async () => {
  const shop = workshop(`${pretrain} → pairs: eval(data=jsonl("data/rm.jsonl") split=all)
    → none: eval(data=jsonl("data/sft.jsonl") → split(test=0))`);
  const plan = await shop.plan();
  expect(plan.diagnostics.map((d) => [d.stage, d.code])).toEqual([
    ['pairs', 'FTP3001'],
    ['none', 'FTP5010'],
  ]);
});

test('a text of one block is learned or held out whole, and the plan says which', async () => {
  const notes = async (text: string) => {
    const shop = workshop(pretrain, { 'data/pretrain.txt': text });
    const { stages, diagnostics } = await shop.plan();
    return { shop, all: [...stages[0]!.notes, ...diagnostics.map(({ message }) => message)] };
  };
  const block = 'the hen eats corn '.repeat(8);
  const learned = await notes(block);
  expect(learned.all.slice(1)).toEqual([
    expect.stringMatching(
      /^nothing is held out, so no `eval_loss` is measured: no row of the data falls to /,
    ),
  ]);
  expect((await learned.shop.run()).of('evaluated')).toEqual([]);
  // One block in twenty falls to the other side.
  const blocks = Array.from({ length: 40 }, (_, i) => `${i} ${block}`);
  const all = (await notes(blocks.map((b) => `${b.repeat(4)}\n\n`).join(''))).all;
  expect(all).toEqual(['tokens are estimated: the tokenizer is trained by this stage']);
  const told = await Promise.all(blocks.map(async (b) => (await notes(b)).all.at(-1)!));
  expect(told).toContain('the training split has no text');
  expect(told.filter((said) => said.startsWith('nothing is held out')).length).toBeGreaterThan(30);
});

test('a default that follows from the data is shown as the number it comes to', async () => {
  const shop = workshop(
    `pretrain(${TINY} epochs=2) → sft(data=jsonl("data/sft.jsonl") → split(test=0) batch=8)`,
  );
  const [text, rows] = (await shop.plan()).stages;
  const shown = (stage: typeof text, name: string) => stage!.defaults.find(({ path }) => path === name);
  expect(shown(text, 'pretrain.tokens')!.value).toBe(text!.tokens);
  expect(shown(rows, 'sft.max_steps')).toEqual({
    path: 'sft.max_steps',
    value: Math.ceil((sftRows.length * 3) / 8),
    from: 'stage default: what the data give',
  });
});

test('sizes that do not go together are told at the model that has them', async () => {
  const shop = workshop('pretrain(max_steps=2 model=llama(layers=1 width=33 heads=2))');
  const [problem] = (await shop.plan()).diagnostics;
  expect(problem).toMatchObject({
    code: 'FTP6003',
    message: '`llama` cannot be built: heads=2 does not divide width=33',
    notes: [],
    help: ['use width=34, or a heads that divides 33'],
  });
  expect(shop.read('tiny.ftp').slice(problem!.span!.start)).toMatch(/^model=llama/);
});

test('every stage with missing, empty or broken data is told, and what waits for it is blocked', async () => {
  const shop = workshop(
    `${pretrain}\n→ sft(data=jsonl("data/none.jsonl"))\n→ rm(data=jsonl("data/empty.jsonl"))\n→ ppo(prompts=jsonl("data/broken.jsonl"))`,
  );
  shop.write('data/empty.jsonl', '');
  shop.write('data/broken.jsonl', `${lines(sftRows.slice(0, 2))}{"prompt":\n`);
  const plan = await shop.plan();
  expect(plan.diagnostics.map((d) => [d.stage, d.code])).toEqual([
    ['sft', 'FTP5001'],
    ['rm', 'FTP5002'],
    ['ppo', 'FTP5003'],
  ]);
  const [missing, empty, broken] = plan.diagnostics;
  const text = shop.read('tiny.ftp');
  expect(missing!.span).toMatchObject({ file: shop.file, line: 2 });
  expect(text.slice(missing!.span!.start, missing!.span!.end)).toBe('data=jsonl("data/none.jsonl")');
  expect(empty!.span).toMatchObject({ file: shop.file, line: 3 });
  expect(broken!.span).toMatchObject({ file: join(shop.directory, 'data/broken.jsonl'), line: 3 });
  expect(broken!.notes.join()).toContain('asked for by `ppo` at ');
  expect(plan.stages.map((s) => s.action)).toEqual(['run', 'blocked', 'blocked', 'blocked']);
});

test('one broken stage makes one problem, not one for each stage behind it', async () => {
  const shop = workshop(`pretrain(${TINY} data=text("nothing/*.txt")) → sft → rm → ppo`);
  const plan = await shop.plan();
  expect(plan.diagnostics.map((d) => [d.stage, d.code])).toEqual([['pretrain', 'FTP5001']]);
  expect(plan.stages.slice(1).map((s) => s.reason)).toEqual([
    'waits for `pretrain`',
    'waits for `sft`',
    'waits for `sft`',
  ]);
});

test('a rank larger than the matrix points at r', async () => {
  const shop = workshop(`${pretrain}\n→ sft(lora r=64 targets=q,v)`);
  const plan = await shop.plan();
  expect(plan.diagnostics).toHaveLength(1);
  const [problem] = plan.diagnostics;
  expect(problem).toMatchObject({ code: 'FTP6002', stage: 'sft', span: { line: 2 } });
  expect(shop.read('tiny.ftp').slice(problem!.span!.start, problem!.span!.end)).toBe('r=64');
  expect(problem!.message).toContain('32 × 32');
  expect(plan.stages[1]!.action).toBe('blocked');
});

test('a row that a stage cannot use is told with file and line before anything runs', async () => {
  const rows: object[] = [...sftRows];
  rows[4] = { text: 'no question, no answer' };
  const shop = workshop(`${pretrain} → sft`, { ...tinyData, 'data/sft.jsonl': lines(rows) });
  const plan = await shop.plan();
  expect(plan.diagnostics[0]).toMatchObject({
    code: 'FTP5004',
    span: { file: join(shop.directory, 'data/sft.jsonl'), line: 5 },
  });
});

test('adapters share the tensors of their base; models that nobody needs are let go of', async () => {
  const { PolicyLoader } = await import('../../src/runtime/run/policies.ts');
  const { openStore } = await import('../../src/runtime/store/store.ts');
  const shop = workshop(
    `${pretrain} → sft(lora r=2; max_steps=1 batch=4) → rm(lora r=2; max_steps=1 batch=4) → b: sft(data=jsonl("data/sft.jsonl") full; max_steps=1 batch=4)`,
  );
  const said = await shop.run();
  const hash = said.artifacts as Record<'pretrain.policy' | 'sft.policy' | 'rm.reward' | 'b.policy', string>;
  const store = await openStore(shop.store, { write: false });
  const loader = new PolicyLoader((h) => store.artifact(h));
  const base = await loader.policy(hash['pretrain.policy']);
  const policy = await loader.policy(hash['sft.policy']);
  const reward = await loader.reward(hash['rm.reward']);
  await loader.policy(hash['b.policy']);
  // One copy of every tensor that no adapter changed.
  const adapted = /self_attn\.(q|v)_proj/;
  for (const [name, tensor] of base.weights) {
    expect(policy.weights.get(name)!.data === tensor.data, name).toBe(!adapted.test(name));
    expect(reward.weights.get(name)!.data === policy.weights.get(name)!.data, name).toBe(!adapted.test(name));
  }
  await loader.retain([hash['rm.reward']]);
  expect([...loader.held].sort()).toEqual(
    [hash['pretrain.policy'], hash['sft.policy'], hash['rm.reward']].sort(),
  );
  await loader.policy(hash['b.policy']);
  await loader.retain([hash['b.policy']]);
  expect(loader.held).toEqual([hash['b.policy']]);
  await loader.retain([]);
  expect(loader.held).toEqual([]);
});

test.each([
  ['mean_reward', 'eval(data=jsonl("data/sft.jsonl"))'],
  ['accuracy', 'eval(data=jsonl("data/notes.jsonl") split=all)'],
  ['exact', 'eval(data=jsonl("data/sft.jsonl") generate=false)'],
])(
  'a gate on %s, which is not measured of these rows, is found before anything runs',
  async (metric, step) => {
    const shop = workshop(`pretrain(${TINY} max_steps=1) → quick: ${step} → gate(quick.${metric} >= 0)`);
    const { diagnostics, stages } = await shop.plan();
    expect(diagnostics).toMatchObject([
      { stage: 'gate', message: `\`quick\` makes no metric \`${metric}\`` },
    ]);
    expect(stages.map(({ action }) => action)).toEqual(['run', 'run', 'blocked']);
    shop.pipeline(`pretrain(${TINY} max_steps=1) → quick: ${step} → gate(quick.loss >= 0)`);
    expect((await shop.plan()).diagnostics).toEqual([]);
  },
);
