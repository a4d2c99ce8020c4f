/** Adapters with lengths, start values and tables in real stages: trained, stopped and resumed, written and opened again. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPolicy } from '../../src/runtime/run/policies.ts';
import { atStep, type Said, workshops } from '../run/workshop.ts';
import { logitsOf } from '../stages/by-hand.ts';

const workshop = workshops();
const LLAMA = 'model=llama(layers=1 width=32 heads=2 context=32 tied=false) vocabulary=300';
const TIED = 'model=gpt2(layers=1 width=32 heads=2 context=32) vocabulary=300';

const cases: Record<string, readonly [model: string, method: string]> = {
  'dora from singular values': [LLAMA, 'lora r=3 targets=q,down init=pissa dora=true dropout=0.1'],
  'beside codes': [LLAMA, 'qlora r=2 targets=q,up init=pissa dora=true'],
  'embedding and head': [LLAMA, 'lora targets=embed,head ranks=2,3'],
  'tied embedding, slices': [TIED, 'lora r=2 targets=q,v,embed'],
};

const losses = (said: Said) => said.series('sft', 'loss');

describe.each(Object.keys(cases))('%s', (name) => {
  const [model, method] = cases[name]!;
  const text = `
pretrain(${model} max_steps=4)
→ sft(${method}; max_steps=6 batch=8 lr=0.02)
→ adapter: export(to="out/adapter" as=adapter) → whole: export(to="out/whole")`;

  test('learns, resumes, and opens from its files as it was', async () => {
    const shop = workshop(text);
    const said = await shop.run();
    const { metrics } = said.finished('sft');
    expect(losses(said).at(-1)).toBeLessThan(losses(said)[0]!);
    expect(metrics.eval_loss).toBeLessThan(metrics.initial_eval_loss!);

    const [adapter, whole] = [
      await readPolicy(join(shop.directory, 'out/adapter')),
      await readPolicy(join(shop.directory, 'out/whole')),
    ];
    const ids = [5, 9, 77, 200, 41];
    expect(logitsOf(adapter, ids)).toEqual(logitsOf(whole, ids));

    const other = workshop(text);
    const first = await other.run({ stopAfter: atStep('sft', 3) });
    expect(first.end.status).toBe('stopped');
    const second = await other.run();
    expect([...losses(first), ...losses(second)]).toEqual(losses(said));
    expect(second.artifacts['sft.policy']).toBe(said.artifacts['sft.policy']);
  });
});

test('in ppo the sampled and the trained policy are one', async () => {
  const shop = workshop(`
pretrain(${TIED} max_steps=4)
→ sft(lora r=2; max_steps=2 batch=4)
→ rm(lora r=2 init=pissa; max_steps=2 batch=4)
→ ppo(lora r=2 targets=qkv,up init=pissa dora=true; steps=2 batch=4 minibatch=4 epochs=1 max_new_tokens=5 lr=0.01)`);
  const said = await shop.run();
  expect(said.of('diagnostic')).toEqual([]);
  const [first, second] = said.of('step', 'ppo').map((e) => e.metrics);
  for (const metrics of [first!, second!]) {
    expect(metrics['val/ratio']).toBeCloseTo(1, 5);
    expect(metrics['policy/approxkl_avg']).toBeLessThan(1e-5);
  }
  expect(Math.abs(first!['objective/kl']!)).toBeLessThan(1e-5);
  expect(Math.abs(second!['objective/kl']!)).toBeGreaterThan(1e-5);
});
