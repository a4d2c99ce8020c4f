/** `pretrain`, by hand: what it starts from, what it predicts, what it writes. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readPolicy } from '../../src/runtime/run/policies.ts';
import { facts } from '../run/tiny-data.ts';
import { TINY, workshops } from '../run/workshop.ts';
import { runStage } from './bench.ts';
import { lossOf } from './by-hand.ts';

const workshop = workshops();
const notes = 'jsonl("data/notes.jsonl") → split(test=0)';

test('a second pretraining goes on from the policy; its loss is that of its text, window by window', async () => {
  const shop = workshop(
    `pretrain(data=${notes} ${TINY} max_steps=6)
    → more: pretrain(data=${notes} lora r=2; batch=3 max_steps=1 warmup=0)`,
  );
  const { said, loader, artifacts } = await runStage(shop, 'more');
  const policy = await loader.policy(artifacts['pretrain.policy']!);
  const { eos } = policy.tokenizer;
  const stream = facts.flatMap(({ question, answer }) => [
    ...policy.tokenizer.encode(`${question} ${answer}`),
    eos,
  ]);
  const count = Math.floor((stream.length - 1) / 32);
  expect(count).toBeGreaterThan(3);
  const losses = Array.from({ length: count }, (_, i) => {
    const ids = stream.slice(i * 32, i * 32 + 33);
    return lossOf(policy, ids, new Uint8Array(33).fill(1)).total / 32;
  });
  // Three of the windows, whichever the seed chose.
  const sums = losses.flatMap((a, i) =>
    losses.slice(i + 1).flatMap((b, j) => losses.slice(i + j + 2).map((c) => (a + b + c) / 3)),
  );
  const loss = said.series('more', 'loss')[0]!;
  expect(Math.min(...sums.map((sum) => Math.abs(sum - loss)))).toBeLessThan(1e-5);
  expect(said.series('more', 'num_tokens')).toEqual([96]);
  expect(said.of('message')[0]!.text).toContain(`${stream.length} tokens of text, 0 held out`);
});

test('the directory it writes is a whole model that opens by itself', async () => {
  const shop = workshop(`pretrain(data=${notes} ${TINY} max_steps=3 lr=0.01)`);
  const { saved, written } = await runStage(shop, 'pretrain');
  const policy = await readPolicy(written.get('policy')!);
  expect([...policy.weights.keys()].sort()).toEqual([...saved!.policy.weights.keys()].sort());
  for (const [name, tensor] of saved!.trainable)
    expect(policy.weights.get(name)!.data, name).toEqual(tensor.data);
  for (const [name, tensor] of saved!.policy.weights)
    if (name.includes('q_proj')) expect(tensor.data).not.toEqual(policy.weights.get(name)!.data);
  expect(policy.tokenizer.vocabularySize).toBe(300);
  expect(policy.config.vocab_size).toBe(300);
  expect(policy.template).toBe(saved!.policy.template);
  expect(policy.stop.map((id) => policy.tokenizer.decode(Int32Array.of(id)))).toEqual([
    '<|endoftext|>',
    '<|end|>',
  ]);
  expect(join(written.get('policy')!)).toContain(shop.directory);
});

test('tokens decide the steps, and repeat the text', async () => {
  const shop = workshop(`pretrain(data=${notes} ${TINY} tokens=1000 batch=4 accumulate=2)`);
  const said = await shop.run();
  // 1000 tokens in steps of 2 · 4 · 32.
  expect(said.series('pretrain', 'num_tokens')).toEqual([256, 512, 768, 1024]);
  expect(said.series('pretrain', 'epoch').at(-1)).toBeGreaterThan(1);
});
