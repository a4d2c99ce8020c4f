/** Identities of the first update of `ppo`, and what its models share. */
import { expect, test } from 'vitest';
import { TINY, workshops } from '../run/workshop.ts';
import { runStage } from './bench.ts';

const workshop = workshops();
const before = `
pretrain(${TINY} max_steps=6)
→ sft(lora r=2; max_steps=2 batch=4)
→ rm(lora r=2; max_steps=4 batch=8)`;

test.each(['lora r=4 targets=all', 'full', 'freeze layers=1'])(
  'with %s the first minibatch has ratio 1 and no divergence',
  async (method) => {
    const shop = workshop(
      `${before} → ppo(${method}; steps=2 batch=8 minibatch=8 epochs=1 max_new_tokens=6 missing_eos_penalty=0 lr=0.01)`,
    );
    const { said } = await runStage(shop, 'ppo');
    const first = said.of('step')[0]!.metrics;
    expect(first['val/ratio']).toBeCloseTo(1, 5);
    expect(first['policy/approxkl_avg']).toBeLessThan(1e-5);
    expect(first['policy/clipfrac_avg']).toBe(0);
    expect(first['val/clipfrac_avg']).toBe(0);
    expect(Math.abs(first['objective/kl']!)).toBeLessThan(1e-5);
    // Whitened advantages have mean 0, and so has the loss at ratio 1.
    expect(first['loss/policy_avg']).toBeCloseTo(0, 5);
    const second = said.of('step')[1]!.metrics;
    expect(Math.abs(second['objective/kl']!)).toBeGreaterThan(1e-5);
  },
);

test('rewards are standardised by the first batch, before the penalty for a missing end', async () => {
  const run = async (penalty: number) => {
    const shop = workshop(
      `${before} → ppo(lora r=2; steps=1 batch=4 minibatch=2 max_new_tokens=4 missing_eos_penalty=${penalty})`,
    );
    const { said } = await runStage(shop, 'ppo');
    return {
      metrics: said.of('step')[0]!.metrics,
      scores: said.of('samples')[0]!.samples.map((s) => s.reward!),
    };
  };
  const free = await run(0);
  expect(free.scores).toHaveLength(4);
  const mean = free.scores.reduce((a, b) => a + b, 0) / 4;
  const deviation = Math.sqrt(free.scores.reduce((a, b) => a + (b - mean) ** 2, 0) / 3);
  expect(mean).toBeCloseTo(0, 9);
  expect(deviation).toBeCloseTo(1, 9);
  expect(free.metrics['objective/scores']).toBeCloseTo(0, 9);
  const punished = await run(1.5);
  const ended = free.metrics['val/num_eos_tokens']!;
  expect(ended).toBeLessThan(4);
  expect(punished.metrics['val/num_eos_tokens']).toBe(ended);
  expect(punished.metrics['objective/scores']).toBeCloseTo((-1.5 * (4 - ended)) / 4, 9);
});

test('policy, reference and reward share one copy of the base; everything is let go of', async () => {
  const shop = workshop(
    `${before} → ppo(lora r=2 targets=q,v; steps=1 batch=4 minibatch=2 max_new_tokens=4)`,
  );
  const { loaded } = await runStage(shop, 'ppo');
  const programs = new Map(loaded.map((entry) => [entry.program.name, entry]));
  const frozen = (name: string) => programs.get(name)!.frozen;
  expect([...programs.keys()]).toEqual(
    expect.arrayContaining(['ppo-score', 'ppo-reference', 'reward', 'ppo']),
  );
  const adapted = /self_attn\.(q|v)_proj/;
  let shared = 0;
  for (const [name, { data }] of frozen('ppo-reference')) {
    expect(frozen('ppo-score').get(name)!.data === data, name).toBe(true);
    const trained = frozen('ppo').get(name);
    if (trained) expect(trained.data === data, name).toBe(true);
    if (adapted.test(name)) continue;
    expect(frozen('reward').get(name)!.data === data, name).toBe(true);
    shared++;
  }
  expect(shared).toBeGreaterThan(6);
  expect(loaded.filter((entry) => !entry.disposed).map((entry) => entry.program.name)).toEqual([]);
});

test('the coefficient of the divergence adapts towards its target', async () => {
  const shop = workshop(
    `${before} → ppo(lora r=2; steps=2 batch=4 minibatch=2 max_new_tokens=4 kl=0.1 kl_target=1 kl_horizon=8)`,
  );
  const { said } = await runStage(shop, 'ppo');
  // Divergence 0 is below the target: error −0.2, so 0.1 · (1 − 0.2 · 4 / 8).
  expect(said.series('ppo', 'objective/kl_coef')).toEqual([0.1, 0.1 * (1 - (0.2 * 4) / 8)]);
});

test('answers may fill a context that is no multiple of eight', async () => {
  const shop = workshop(
    `pretrain(model=gpt2(layers=1 width=32 heads=2 context=30) vocabulary=300 max_steps=1)
    → rm(lora r=2 targets=all; max_steps=1 batch=4 overlong=truncate)
    → ppo(lora r=2 targets=all; steps=1 batch=4 minibatch=2 max_new_tokens=4 overlong=truncate)`,
  );
  const said = await shop.run();
  expect(said.of('diagnostic')).toEqual([]);
  expect(said.series('ppo', 'val/ratio')[0]).toBeGreaterThan(0.9);
});
