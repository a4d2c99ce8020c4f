/** `eval` by hand, and what `export` writes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { methods } from '../../src/runtime/catalog.ts';
import { readSafetensors } from '../../src/runtime/checkpoints/safetensors.ts';
import type { Row } from '../../src/runtime/data/row.ts';
import { PolicyLoader, readPolicy } from '../../src/runtime/run/policies.ts';
import { encodeExample } from '../../src/runtime/stages/parts/examples.ts';
import { openStore } from '../../src/runtime/store/store.ts';
import { lines, preferenceRows, promptRows, sftRows, tinyData } from '../run/tiny-data.ts';
import { type Said, TINY, type Workshop, workshops } from '../run/workshop.ts';
import { logitsOf, lossOf } from './by-hand.ts';

const workshop = workshops();
const pretrain = `pretrain(${TINY} max_steps=6)`;

async function policyOf(shop: Workshop, said: Said, artifact: string) {
  const store = await openStore(shop.store, { write: false });
  return new PolicyLoader((hash) => store.artifact(hash)).policy(said.artifacts[artifact]!);
}

test('answers: loss over their tokens, and how many are right', async () => {
  // An easy answer for a model that was made to say it.
  const rows = Array.from({ length: 8 }, () => ({ prompt: 'Q', completion: 'hen' }));
  const shop = workshop(
    `${pretrain}
    → before: eval(data=jsonl("data/sft.jsonl") split=all max_new_tokens=4 samples=2)
    → sft(data=jsonl("data/sft.jsonl") → split(test=0) full; batch=8 epochs=40 lr=0.01)
    → after: eval(data=jsonl("data/sft.jsonl") split=all max_new_tokens=4 samples=2 match=exact)`,
    { ...tinyData, 'data/sft.jsonl': lines(rows) },
  );
  const said = await shop.run();
  const policy = await policyOf(shop, said, 'pretrain.policy');
  const { ids, supervised } = encodeExample({ value: rows[0]!, file: '', line: 1 } as Row, policy);
  const { total, tokens } = lossOf(policy, ids, supervised);
  const before = said.finished('before').metrics;
  expect(before).toMatchObject({ rows: 8, exact: 0, contains: 0, accuracy: 0 });
  expect(before.loss).toBeCloseTo(total / tokens, 5);
  expect(before.perplexity).toBeCloseTo(Math.exp(total / tokens), 2);
  expect(said.finished('after').metrics).toMatchObject({
    exact: 1,
    contains: 1,
    accuracy: 1,
    token_accuracy: 1,
  });
  expect(said.of('samples', 'after')[0]!.samples).toEqual(
    [0, 1].map(() => ({ prompt: 'Q', completion: 'hen', expected: 'hen', correct: true })),
  );
});

test('text: every token but the first once, as pretraining measures it', async () => {
  const shop = workshop(
    `data notes = jsonl("data/notes.jsonl") → split(test=30%)
    pipeline tiny = pretrain(data=notes ${TINY} max_steps=4) → eval(data=notes)`,
  );
  const said = await shop.run();
  const { loss, token_accuracy } = said.finished('eval').metrics;
  const trained = said.finished('pretrain').metrics;
  expect(loss).toBeCloseTo(trained.eval_loss!, 6);
  expect(token_accuracy).toBeCloseTo(trained.eval_token_accuracy!, 6);
  expect(trained.eval_loss).toBeLessThan(trained.initial_eval_loss!);
});

test('prompts alone, preferences, and prompts too long to answer', async () => {
  const long = { prompt: 'a b c d e f g '.repeat(6), completion: 'h' };
  const shop = workshop(
    `${pretrain}
    → rm(data=jsonl("data/rm.jsonl") → split(test=0) lora r=4; batch=8 epochs=20 lr=0.01)
    → prompts: eval(data=jsonl("data/ppo.jsonl") split=all max_new_tokens=4 limit=5)
    → pairs: eval(data=jsonl("data/rm.jsonl") split=all)
    → some: eval(data=jsonl("data/sft.jsonl") split=all max_new_tokens=48 overlong=drop)
    → all: eval(data=jsonl("data/sft.jsonl") split=all max_new_tokens=4)`,
    {
      ...tinyData,
      'data/rm.jsonl': lines(preferenceRows.slice(0, 8)),
      'data/ppo.jsonl': lines(promptRows),
      'data/sft.jsonl': lines([...sftRows.slice(0, 3), long]),
    },
  );
  const said = await shop.run();
  const { mean_reward, ...rest } = said.finished('prompts').metrics;
  expect(rest).toEqual({ rows: 5 });
  expect(Number.isFinite(mean_reward)).toBe(true);
  expect(said.finished('rm').metrics.accuracy).toBe(1);
  expect(said.finished('pairs').metrics).toEqual({ rows: 8, reward_accuracy: 1 });
  expect(said.of('message', 'some').map((e) => e.level)).toContain('warning');
  expect(said.of('diagnostic')[0]).toMatchObject({ code: 'FTP5006', stage: 'all', line: 4 });
});

test('a merged export computes what base and adapter compute, and an adapter is in PEFT layout', async () => {
  const shop = workshop(
    `${pretrain} → sft(lora r=2 alpha=8 targets=q,v; batch=8 epochs=3 lr=0.05)
    → whole: export(to="out/whole") → adapter: export(to="out/adapter" as=adapter)`,
  );
  const said = await shop.run();
  const base = await policyOf(shop, said, 'pretrain.policy');
  const files = (name: string) => join(shop.directory, 'out', name);
  const adapter = await readSafetensors(join(files('adapter'), 'adapter_model.safetensors'));
  const layer = 'base_model.model.model.layers.0.self_attn';
  expect([...adapter.keys()].sort()).toEqual([
    `${layer}.q_proj.lora_A.weight`,
    `${layer}.q_proj.lora_B.weight`,
    `${layer}.v_proj.lora_A.weight`,
    `${layer}.v_proj.lora_B.weight`,
  ]);
  expect(adapter.get(`${layer}.q_proj.lora_A.weight`)!.shape).toEqual([2, 32]);
  expect(adapter.get(`${layer}.q_proj.lora_B.weight`)!.shape).toEqual([32, 2]);
  const settings = JSON.parse(shop.read('out/adapter/adapter_config.json'));
  expect(settings).toMatchObject({ peft_type: 'LORA', task_type: 'CAUSAL_LM', r: 2, lora_alpha: 8 });
  expect(settings.target_modules.sort()).toEqual(['q_proj', 'v_proj']);
  expect(existsSync(join(files('adapter'), 'model.safetensors'))).toBe(false);

  const merged = await readPolicy(files('whole'));
  const { family, config, tokenizer } = base;
  const applied = methods.lora!.apply(
    {
      config,
      parameters: family.parameters(config),
      linears: family.linears(config),
      blocks: family.blocks(config),
    },
    { r: 2, alpha: 8, targets: ['q', 'v'] },
  );
  const ids = tokenizer.encode('What does the hen eat? The hen eats');
  expect(merged.tokenizer.encode('What does the hen eat? The hen eats')).toEqual(ids);
  expect(merged.stop).toEqual(base.stop);
  const expected = logitsOf(
    { family, config, weights: new Map([...base.weights, ...adapter]) },
    ids,
    (program) => applied.rewrite(program),
  );
  const actual = logitsOf(merged, ids);
  const plain = logitsOf(base, ids);
  const worst = (a: Float32Array, b: Float32Array) =>
    a.reduce((w, x, i) => Math.max(w, Math.abs(x - b[i]!)), 0);
  expect(worst(actual, expected)).toBeLessThan(5e-6);
  expect(worst(actual, plain)).toBeGreaterThan(1e-2);

  // An adapter is used by its directory as well: the exported one, and the artifact that a run links to.
  const run = said.of('run_started')[0]!.run;
  for (const directory of [files('adapter'), join(shop.store, 'runs', run, 'artifacts', 'sft.policy')])
    expect(worst(logitsOf(await readPolicy(directory), ids), actual)).toBe(0);
});

test('an export that replaces one of the other kind leaves nothing of it', async () => {
  const shop = workshop(
    `${pretrain} → sft(lora r=2; batch=8 max_steps=1) → a: export(to="out") → b: export(to="out" as=adapter)`,
  );
  expect((await shop.run()).end.status).toBe('ok');
  expect(existsSync(join(shop.directory, 'out/model.safetensors'))).toBe(false);
  expect(existsSync(join(shop.directory, 'out/adapter_model.safetensors'))).toBe(true);
});

test('an adapter of a whole model cannot be exported, and the option is to blame', async () => {
  const shop = workshop(`${pretrain} → export(to="out" as=adapter)`);
  const [problem] = (await shop.run()).of('diagnostic');
  expect(problem).toMatchObject({ stage: 'export', message: expect.stringContaining('not an adapter') });
  expect(shop.read('tiny.ftp').slice(problem!.column! - 1)).toMatch(/^as=adapter/);
});
