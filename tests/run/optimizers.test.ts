/** Every optimizer in a real stage: interrupted and resumed it ends with the same bytes; paged is as unpaged. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { optimizers } from '../../src/runtime/catalog.ts';
import { atStep, TINY, workshops } from './workshop.ts';

const workshop = workshops();
/** Those that want another learning rate. */
const rates: { readonly [name: string]: number } = { sgd: 0.5, adafactor: 1e-2 };
const text = (optimizer: string) => {
  const lr = rates[optimizer.split(' ')[0]!] ?? 2e-3;
  return `pretrain(${TINY} data=jsonl("data/notes.jsonl") max_steps=5 batch=8 lr=${lr} optimizer=${optimizer})`;
};
const page = 'optimizer-0.pages';
const artifacts = new Map<string, Record<string, string>>();

// Adafactor keeps all it can.
const names = Object.keys(optimizers).map((name) => (name === 'adafactor' ? 'adafactor beta1=0.9' : name));

describe.each(names)('%s', (name) => {
  test('stopped after two steps and resumed, is as if uninterrupted', async () => {
    const whole = await workshop(text(name)).run();
    expect(whole.end).toMatchObject({ status: 'ok' });
    const losses = whole.series('pretrain', 'loss');
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
    const shop = workshop(text(name));
    let paged = false;
    const work = join(shop.store, 'work');
    const first = await shop.run({
      stopAfter(event) {
        if (event.type === 'step') paged = readdirSync(work).some((key) => existsSync(join(work, key, page)));
        return atStep('pretrain', 2)(event);
      },
    });
    expect(first.end).toMatchObject({ status: 'stopped', exit_code: 130 });
    expect(paged).toBe(name.startsWith('paged'));
    const [key] = readdirSync(work);
    expect(readdirSync(join(work, key!))).toEqual(['checkpoint.safetensors']);
    const second = await shop.run();
    expect(second.of('step', 'pretrain')[0]!.step).toBe(3);
    expect([...first.series('pretrain', 'loss'), ...second.series('pretrain', 'loss')]).toEqual(losses);
    expect(second.artifacts).toEqual(whole.artifacts);
    expect(readdirSync(work)).toEqual([]);
    artifacts.set(name, whole.artifacts);
  });
});

test('paged is as unpaged, and every optimizer trains something else', () => {
  const of = (name: string) => artifacts.get(name)!['pretrain.policy'];
  expect(of('paged_adamw')).toBe(of('adamw'));
  expect(of('paged_adamw8bit')).toBe(of('adam8bit'));
  expect(new Set(names.map(of)).size).toBe(names.length - 2);
});

test('the plan counts the state, and says what lies in a file', async () => {
  const plan = async (name: string) => (await workshop(text(name)).plan()).stages[0]!;
  const [adamw, eight, paged, sgd] = await Promise.all(
    ['adamw', 'adam8bit', 'paged_adamw', 'sgd momentum=0'].map(plan),
  );
  const bytes = adamw!.peak_memory_bytes - sgd!.peak_memory_bytes;
  expect(bytes).toBe(8 * adamw!.parameters!.trainable);
  // The embeddings alone are large enough for eight bits.
  const [elements, blocks] = [300 * 32, Math.ceil((300 * 32) / 256)];
  expect(adamw!.peak_memory_bytes - eight!.peak_memory_bytes).toBe(
    8 * elements - 2 * (elements + 4 * blocks),
  );
  const notes = (stage: typeof adamw) => stage!.notes.filter((note) => note.includes('optimizer state'));
  expect(notes(adamw)).toEqual([]);
  expect(notes(paged)).toEqual([expect.stringMatching(/^\d+ kB of optimizer state lie in a file/)]);
});
