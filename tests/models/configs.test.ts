/** config.json files as they are published: the tensors, rotary frequencies and windows that transformers makes of them. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Json } from '../../src/compiler/catalog.ts';
import { models } from '../../src/runtime/catalog.ts';
import { windowsOfLayers } from '../../src/runtime/models/llama-settings.ts';
import { openConfig } from '../../src/runtime/models/open-config.ts';
import { ropeOf } from '../../src/runtime/models/rope.ts';
import { sizeOf } from '../../src/runtime/programs/program.ts';
import { expectClose } from '../reference/close.ts';

interface Case {
  readonly config: { readonly [key: string]: Json };
  readonly length: number;
  readonly parameters: number;
  readonly tensors: string;
  readonly frequencies?: readonly number[];
  readonly scale?: number;
  readonly windows?: readonly (number | null)[];
}

const file = new URL('../reference/models/configs.json', import.meta.url);
const cases = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Case>);
const open = (config: Case['config']) => openConfig(config, Object.values(models));

test.each(cases)('%s has the tensors that transformers makes', (_, expected) => {
  const { family, config } = open(expected.config);
  const specs = family.parameters(config);
  const lines = specs.map(({ name, shape }) => `${name} ${shape.join(',')}`).sort();
  expect(specs.reduce((n, { shape }) => n + sizeOf(shape), 0)).toBe(expected.parameters);
  expect(createHash('sha256').update(lines.join('\n')).digest('hex')).toBe(expected.tensors);
});

const rotary = cases.filter(([, { frequencies }]) => frequencies !== undefined);

test.each(rotary)('%s turns and looks back as in transformers', (_, expected) => {
  const { family, config } = open(expected.config);
  const { headSize, blocks, window } = family.shape(config);
  const positions = config.max_position_embeddings as number;
  const angles = ropeOf(config, headSize, positions).angles(expected.length, false);
  expectClose(angles.at(0), expected.frequencies!, { relative: 3e-6 });
  expect(angles.scale).toBeCloseTo(expected.scale!, 7);
  const qwen = config.model_type === 'qwen2' || config.model_type === 'qwen3';
  const windows = qwen ? windowsOfLayers(config, blocks) : new Array(blocks).fill(window);
  expect(windows.map((tokens) => tokens ?? null)).toEqual(expected.windows);
  expect(window).toBe(windows.find((tokens) => tokens !== undefined));
});

test('the context: as written, and what a scaling makes of it where that is the shorter one', () => {
  const context = (name: string) => {
    const { family, config } = open(cases.find(([n]) => n === name)![1].config);
    return family.shape(config).context;
  };
  expect(context('Llama-3.1-8B')).toBe(131_072);
  expect(context('vicuna-7b-v1.5-16k')).toBe(4096);
  expect(context('Qwen2.5-7B-yarn')).toBe(131_072);
  expect(context('dynamic, long')).toBe(64);
  expect(context('gpt2')).toBe(1024);
});
