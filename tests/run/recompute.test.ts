/** `recompute` in a run: the same result; what it saves of memory is in `tests/run/plan-memory.test.ts`. */
import { afterEach, expect, test, vi } from 'vitest';
import { TINY, workshops } from './workshop.ts';

const workshop = workshops();
afterEach(() => {
  vi.restoreAllMocks();
});

const pipeline = (option: string) => `pretrain(${TINY} max_steps=1${option})
  → sft(data=jsonl("data/sft.jsonl") → split(test=25%) lora r=2 dropout=0.2; batch=4 epochs=1${option})
  → rm(lora r=2; batch=8 epochs=1${option})
  → ppo(lora r=2; steps=1 batch=3 minibatch=2 max_new_tokens=3${option})`;

test('every training stage computes the same numbers with and without, under the same keys', async () => {
  const shops = [' recompute=none', ' recompute=blocks', ''].map((option) => workshop(pipeline(option)));
  const [none, blocks, auto] = await Promise.all(shops.map((shop) => shop.plan()));
  const keys = (plan: typeof none) => plan!.stages.map(({ key }) => key);
  expect(keys(blocks)).toEqual(keys(none));
  expect(keys(auto)).toEqual(keys(none));
  const [kept, repeated] = [await shops[0]!.run(), await shops[1]!.run()];
  for (const { id } of none!.stages) {
    // After the first step they also depend on the gradients before.
    const norms = kept.series(id, 'grad_norm');
    expect(repeated.series(id, 'grad_norm').length, id).toBe(norms.length);
    expect(norms.every((norm) => norm > 0)).toBe(true);
    repeated.series(id, 'grad_norm').forEach((norm, step) => {
      expect(norm / norms[step]!, `${id} ${step}`).toBeCloseTo(1, 5);
    });
  }
});

test('the plan says where no block has a backward pass', async () => {
  const untied =
    'pretrain(model=llama(layers=2 width=32 heads=2 context=32 tied=no) vocabulary=300 max_steps=1)';
  const notes = async (method: string) => {
    const shop = workshop(`${untied} → sft(freeze ${method}; batch=4 epochs=2 recompute=blocks)`);
    return (await shop.plan()).stages[1]!.notes;
  };
  const idle = '`recompute=blocks` does nothing here: no gradient goes back through a block';
  expect(await notes('parts=head')).toContain(idle);
  expect(await notes('layers=0 parts=norms,head')).toContain(idle);
  expect(await notes('layers=1')).not.toContain(idle);
});

test('auto does so where the step would not fit, and the plan says it', async () => {
  const notes = async (option: string) => {
    const { stages } = await workshop(pipeline(option)).plan();
    return stages.map((stage) => stage.notes.some((note) => note.startsWith('blocks are computed again')));
  };
  expect(await notes('')).toEqual([false, false, false, false]);
  vi.spyOn(process, 'availableMemory').mockReturnValue(1e7);
  expect(await notes('')).toEqual([true, true, true, true]);
  expect(await notes(' recompute=none')).toEqual([false, false, false, false]);
});
