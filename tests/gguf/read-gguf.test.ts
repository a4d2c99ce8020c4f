import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CheckpointError } from '../../src/runtime/checkpoints/checkpoint-error.ts';
import { bytesOfNumber, bytesOfText, bytesOfValue, type GgufValue } from '../../src/runtime/gguf/metadata.ts';
import { readGguf } from '../../src/runtime/gguf/read-gguf.ts';
import { random } from '../../src/runtime/random/random.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const other = fileURLToPath(new URL('../reference/gguf/other.gguf', import.meta.url));
const directory = temporaryDirectory();

const write = (name: string, bytes: Uint8Array) => {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
};

test('reads what another program wrote', () => {
  const { metadata, tensors } = readGguf(other);
  expect(Object.fromEntries([...metadata].map(([key, { value }]) => [key, value]))).toEqual({
    'general.architecture': 'llama',
    'general.name': 'made elsewhere',
    'llama.context_length': 77,
    'llama.attention.layer_norm_rms_epsilon': Math.fround(1e-5),
    'x.bool': true,
    'x.i64': -(2n ** 40n),
    'x.f64': 0.1,
    'x.i8': -5,
    'x.u16': 65535,
    'x.texts': ['a', '', '你好'],
    'x.integers': [1, -2, 3],
  });
  const whole = Float32Array.from({ length: 128 }, (_, i) => (i - 64) / 16);
  expect([...tensors.values()].map(({ name, shape, type }) => [name, shape, type?.name])).toEqual([
    ['a', [2, 64], 'f32'],
    ['b', [2, 64], 'f16'],
    ['c', [2, 64], 'q8_0'],
    ['d', [2, 64], 'q4_0'],
  ]);
  expect(tensors.get('a')!.read().data).toEqual(whole);
  expect(tensors.get('b')!.read().data).toEqual(whole);
  const apart = (name: string) =>
    Math.max(
      ...tensors
        .get(name)!
        .read()
        .data.map((x, i) => Math.abs(x - whole[i]!)),
    );
  expect(apart('c')).toBeLessThan(4 / 127 / 2 + 0.002);
  expect(apart('d')).toBeLessThan(0.5);
  expect(apart('d')).toBeGreaterThan(0.1);
});

const u64 = (value: number | bigint) => bytesOfNumber('u64', BigInt(value));
const u32 = (value: number) => bytesOfNumber('u32', value);
const header = (tensors: number | bigint, keys: number | bigint, version = 3) =>
  Buffer.concat([Buffer.from('GGUF'), u32(version), u64(tensors), u64(keys)]);
const key = (name: string, value: GgufValue) => Buffer.concat([bytesOfText(name), bytesOfValue(value)]);
const tensor = (name: string, shape: (number | bigint)[], type: number, offset: number | bigint) =>
  Buffer.concat([bytesOfText(name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset)]);
const room = Buffer.alloc(4096);
const ten: GgufValue = { type: 'u32', value: 10 };

test.each([
  ['nothing', Buffer.alloc(0), 'is no GGUF file'],
  ['another file', Buffer.alloc(100, 'x'), 'is no GGUF file'],
  ['an old version', Buffer.concat([header(0, 0, 1), room]), 'has the GGUF version 1, and ftc reads 2 and 3'],
  ['a huge count', Buffer.concat([header(2n ** 63n, 0), room]), 'more than it has room for'],
  ['many keys', Buffer.concat([header(0, 2n ** 40n), room]), 'more than it has room for'],
  ['a long key', Buffer.concat([header(0, 1), u64(2n ** 62n), room]), 'more than it has room for'],
  ['an unknown type', Buffer.concat([header(0, 1), bytesOfText('k'), u32(99), room]), 'k has the type 99'],
  [
    'a long list',
    Buffer.concat([header(0, 1), bytesOfText('k'), u32(9), u32(4), u64(2n ** 60n), room]),
    'elements of k, more than it has room for',
  ],
  [
    'lists of lists',
    Buffer.concat([header(0, 1), bytesOfText('k'), u32(9), u32(9), u64(1), room]),
    'k is a list of lists',
  ],
  ['a key twice', Buffer.concat([header(0, 2), key('k', ten), key('k', ten), room]), 'names the key k twice'],
  [
    'five dimensions',
    Buffer.concat([header(1, 0), tensor('t', [1, 1, 1, 1, 1], 0, 0), room]),
    'has 5 dimensions',
  ],
  ['a dimension of 0', Buffer.concat([header(1, 0), tensor('t', [0, 4], 0, 0), room]), 'has the shape [4,0]'],
  [
    'dimensions that overflow',
    Buffer.concat([header(1, 0), tensor('t', [2n ** 32n, 2n ** 32n], 0, 0), room]),
    'has the shape [4294967296,4294967296]',
  ],
  [
    'an offset beyond',
    Buffer.concat([header(1, 0), tensor('t', [4], 0, 1 << 20), room]),
    'does not lie within the file',
  ],
  [
    'a huge offset',
    Buffer.concat([header(1, 0), tensor('t', [4], 0, 2n ** 63n), room]),
    'the offset of the tensor "t" is',
  ],
  [
    'an odd offset',
    Buffer.concat([header(1, 0), tensor('t', [4], 0, 7), room]),
    'does not begin at a multiple of 32',
  ],
  ['half a block', Buffer.concat([header(1, 0), tensor('t', [40], 2, 0), room]), 'no whole blocks of q4_0'],
  [
    'two tensors on one place',
    Buffer.concat([header(2, 0), tensor('t', [16], 0, 0), tensor('u', [4], 0, 32), room]),
    'the tensors "t" and "u" overlap',
  ],
  [
    'a tensor twice',
    Buffer.concat([header(2, 0), tensor('t', [4], 0, 0), tensor('t', [4], 0, 32), room]),
    'names a tensor twice',
  ],
  [
    'an alignment of 0',
    Buffer.concat([header(0, 1), key('general.alignment', { type: 'u32', value: 0 }), room]),
    'has the alignment 0',
  ],
])('says what is wrong with %s', (_, bytes, message) => {
  const path = write('wrong.gguf', bytes);
  expect(() => readGguf(path)).toThrow(CheckpointError);
  expect(() => readGguf(path)).toThrow(message);
});

test('a number type that ftc does not read is an error where it is read', () => {
  const path = write('k.gguf', Buffer.concat([header(1, 0), tensor('t', [256], 14, 0), room]));
  const { tensors } = readGguf(path);
  expect(() => tensors.get('t')!.read()).toThrow('the number type 14; ftc reads f32, f16, q8_0, q4_0');
});

test('3,000 damaged files are read, or refused with a CheckpointError', () => {
  const whole = readFileSync(other);
  const draw = random(3, 'damage');
  let refused = 0;
  for (let i = 0; i < 3000; i++) {
    const bytes = Buffer.from(whole);
    const changes = 1 + draw.integer(3);
    for (let change = 0; change < changes; change++) {
      const at = draw.integer(Math.min(bytes.length, 900));
      if (draw.integer(4) === 0)
        bytes.writeBigUInt64LE(BigInt(2 ** 31) ** BigInt(draw.integer(3)), Math.min(at, bytes.length - 8));
      else bytes[at] = draw.integer(256);
    }
    const path = write(
      'damaged.gguf',
      draw.integer(5) === 0 ? bytes.subarray(0, draw.integer(bytes.length)) : bytes,
    );
    try {
      for (const read of readGguf(path).tensors.values()) if (read.type !== undefined) read.read();
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(1000);
  expect(refused).toBeLessThan(3000);
});
