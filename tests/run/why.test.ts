/** Why a stage runs again, in words. */
import { expect, describe as group, test } from 'vitest';
import type { Job } from '../../src/compiler/graph/graph.ts';
import type { KeyParts } from '../../src/runtime/run/keys.ts';
import { differenceOf, differences, nearestParts } from '../../src/runtime/run/why.ts';

const span = (line: number) => ({ file: 'm.ftp', start: 0, end: 1, line, column: 1 });
const job = { span: span(1), spans: { lr: span(2), r: span(3) } } as unknown as Job;
const parts: KeyParts = {
  job: { options: { lr: 0.1, batch: 4 }, method: { name: 'lora', options: { r: 8 } }, template: 'short' },
  inputs: { policy: 'sha256:a' },
  data: { data: 'one' },
  executable: 'onnx',
};
const changed = (change: Partial<KeyParts>) => differenceOf(parts, { ...parts, ...change }, job);

group('one change', () => {
  test.each<[string, Partial<KeyParts>]>([
    ['lr 0.1 → 0.2 (m.ftp:2)', { job: { ...(parts.job as object), options: { lr: 0.2, batch: 4 } } }],
    ['batch 4 → none (m.ftp:1)', { job: { ...(parts.job as object), options: { lr: 0.1 } } }],
    [
      'r 8 → 16 (m.ftp:3)',
      { job: { ...(parts.job as object), method: { name: 'lora', options: { r: 16 } } } },
    ],
    ['`policy` comes from a changed stage', { inputs: { policy: 'sha256:b' } }],
    ['the rows of `data` changed', { data: { data: 'two' } }],
    ['runs on webgpu, was onnx', { executable: 'webgpu' }],
  ])('%s', (words, change) => {
    expect(changed(change)).toBe(words);
  });
});

test('several changes: the options first, the others counted', () => {
  const now = { ...parts, inputs: { policy: 'sha256:b' }, data: { data: 'two' } };
  const both = { ...now, job: { ...(parts.job as object), options: { lr: 0.3, batch: 4 } } };
  expect(differenceOf(parts, both, job)).toBe('lr 0.1 → 0.3 (m.ftp:2), and 2 more');
  expect(differences(parts, both).map((d) => d.path)).toEqual(['options.lr', 'data.data', 'inputs.policy']);
  expect(differences(parts, parts)).toEqual([]);
});

test('the earlier run that differs least is compared with, the newest of several', () => {
  const other = { ...parts, job: { options: { lr: 9, batch: 9 } }, data: { data: 'other' } };
  const near = { ...parts, data: { data: 'near' } };
  expect(nearestParts([other, near, { ...parts, data: { data: 'old' } }], parts)).toBe(near);
  expect(nearestParts([], parts)).toBeUndefined();
});

test('what the text says goes before a default that follows from it', () => {
  const lora = (alpha: number, r: number): KeyParts => ({
    ...parts,
    job: { method: { name: 'lora', options: { alpha, r } } },
  });
  expect(differenceOf(lora(4, 2), lora(6, 3), job)).toBe('r 2 → 3 (m.ftp:3), and 1 more');
});

test('an override has no line', () => {
  const overridden = { ...job, spans: { lr: { ...span(1), file: '--set' } } } as unknown as Job;
  const now = { ...parts, job: { ...(parts.job as object), options: { lr: 0.2, batch: 4 } } };
  expect(differenceOf(parts, now, overridden)).toBe('lr 0.1 → 0.2 (--set)');
});

test('long values are cut', () => {
  const long = 'x'.repeat(60);
  expect(changed({ job: { ...(parts.job as object), template: long } })).toBe(
    `template short → ${'x'.repeat(37)}… (m.ftp:1)`,
  );
});
