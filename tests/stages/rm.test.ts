/** The reward model: its loss, its head, and its reload. */
import { expect, test } from 'vitest';
import { readSafetensors } from '../../src/runtime/checkpoints/safetensors.ts';
import type { Row } from '../../src/runtime/data/row.ts';
import { preferenceOf } from '../../src/runtime/data/shapes.ts';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { PolicyLoader } from '../../src/runtime/run/policies.ts';
import { emptyAccount } from '../../src/runtime/stages/parts/examples.ts';
import { encodePair } from '../../src/runtime/stages/parts/pairs.ts';
import { rewardProgram, SCORE } from '../../src/runtime/stages/parts/reward-programs.ts';
import type { Policy } from '../../src/runtime/stages/stage.ts';
import { lines, preferenceRows, tinyData } from '../run/tiny-data.ts';
import { TINY, workshops } from '../run/workshop.ts';
import { runStage } from './bench.ts';
import { rewardOf } from './by-hand.ts';

const workshop = workshops();
const pretrain = `pretrain(${TINY} max_steps=6)`;
const rows = preferenceRows.slice(0, 8);
const files = { ...tinyData, 'data/rm.jsonl': lines(rows) };
const all = 'data=jsonl("data/rm.jsonl") → split(test=0)';

const pairsOf = (policy: Policy) =>
  rows.map((value) => {
    const row = { value, file: '', line: 1 } as Row;
    return encodePair(row, preferenceOf(row), policy, 32, 'error', emptyAccount(), false)!;
  });

/** Rewards of every pair, each sequence in a batch of its own length, on onnxruntime. */
async function rewards(policy: Policy, weights: ReadonlyMap<string, Tensor>, score: Tensor) {
  const { family, config } = policy;
  const found: number[] = [];
  for (const { chosen } of pairsOf(policy)) {
    const program = rewardProgram({ family, config, batch: 1, length: chosen.length });
    const executor = await onnx.load(program, { frozen: new Map([...weights, [SCORE, score]]) });
    const out = await executor.run(
      new Map([
        ['ids', { dtype: 'i32', shape: [1, chosen.length], data: chosen }],
        ['last', { dtype: 'i32', shape: [1], data: Int32Array.of(chosen.length - 1) }],
      ]),
    );
    found.push(out.get('rewards')!.data[0]!);
    await executor.dispose();
  }
  return found;
}

test('the first loss is Bradley–Terry on the last tokens, by hand', async () => {
  const shop = workshop(`${pretrain} → rm(${all} lora r=2; batch=8 max_steps=1 centering=0.5)`, files);
  const { said, loader, artifacts, saved } = await runStage(shop, 'rm');
  const policy = await loader.policy(artifacts['pretrain.policy']!);
  // The head as it started: one step at the learning rate of a warm-up is none.
  const start = await runStage(
    workshop(`${pretrain} → rm(${all} lora r=2; batch=8 max_steps=1 centering=0.5 lr=1e-30)`, files),
    'rm',
  );
  const head = start.saved!.trainable.get(SCORE)!;
  expect(Math.hypot(...head.data)).toBeCloseTo(Math.sqrt(32 / 33), 0);
  let [loss, right] = [0, 0];
  for (const { chosen, rejected } of pairsOf(policy)) {
    const [a, b] = [rewardOf(policy, head, chosen), rewardOf(policy, head, rejected)];
    loss += (Math.log1p(Math.exp(b - a)) + 0.5 * (a + b) ** 2) / rows.length;
    if (a > b) right++;
  }
  expect(said.series('rm', 'loss')[0]).toBeCloseTo(loss, 5);
  expect(said.series('rm', 'accuracy')[0]).toBeCloseTo(right / rows.length, 6);
  expect(saved!.trainable.get(SCORE)!.data).not.toEqual(head.data);
});

test.each(['lora r=2 targets=all', 'full', 'freeze layers=1'])(
  'with %s the head is saved, and its reload gives the same rewards bit for bit',
  async (method) => {
    const shop = workshop(`${pretrain} → rm(${all} ${method}; batch=4 max_steps=3 lr=0.01)`, files);
    const { saved, written, artifacts, loader } = await runStage(shop, 'rm');
    const { policy, method: applied, trainable } = saved!;
    const changed = applied.adapter?.merge(policy.weights, trainable) ?? trainable;
    const weights = new Map([...policy.weights].map(([name, value]) => [name, changed.get(name) ?? value]));
    const directory = written.get('reward')!;
    const stored = await readSafetensors(
      `${directory}/${applied.adapter ? 'adapter_model' : 'model'}.safetensors`,
    );
    expect(stored.get(applied.adapter ? `base_model.model.${SCORE}` : SCORE)!.data).toEqual(
      trainable.get(SCORE)!.data,
    );
    const fresh = new PolicyLoader((hash) => (hash === 'reward' ? directory : loader.directory(hash)));
    const reward = await fresh.reward('reward');
    expect(await rewards(reward, reward.weights, reward.score)).toEqual(
      await rewards(policy, weights, trainable.get(SCORE)!),
    );
    expect(Object.keys(artifacts)).toContain('pretrain.policy');
  },
);

test('learns which answer is better', async () => {
  const shop = workshop(`${pretrain} → rm(${all} lora r=4; batch=8 epochs=30 lr=0.01)`, files);
  const said = await shop.run();
  expect(said.series('rm', 'loss')[0]).toBeGreaterThan(0.6);
  expect(said.series('rm', 'loss').at(-1)).toBeLessThan(0.05);
  expect(said.series('rm', 'accuracy').at(-1)).toBe(1);
});

test('pairs longer than the context: an error, left out, cut; cut to the same answer they teach nothing', async () => {
  const long = 'a b c d e f g h i j k l m n o p';
  const answers = { prompt: 'Q', chosen: `yes ${long} ${long}`, rejected: 'no' };
  const questions = { prompt: `${long} ${long} ${long}`, chosen: 'yes', rejected: 'no' };
  const run = (row: object, overlong: string) =>
    workshop(`${pretrain} → rm(${all} lora r=2; batch=4 max_steps=1 ${overlong})`, {
      ...tinyData,
      'data/rm.jsonl': lines([{ prompt: 'Q', chosen: 'yes', rejected: 'no' }, row]),
    }).run();
  expect((await run(answers, '')).of('diagnostic')[0]).toMatchObject({ code: 'FTP5006', line: 2 });
  const dropped = await run(answers, 'overlong=drop');
  expect(dropped.of('message', 'rm')[0]!.text).toMatch(/^train: 1 rows, .*; of 2 rows 1 dropped and 0 cut/);
  const cut = await run(answers, 'overlong=truncate');
  expect(cut.of('message', 'rm')[0]!.text).toMatch(/; of 2 rows 0 dropped and 1 cut/);
  expect(cut.end.status).toBe('ok');
  const same = await run(questions, 'overlong=truncate');
  expect(same.of('diagnostic')[0]).toMatchObject({ code: 'FTP5005', line: 2 });
});
