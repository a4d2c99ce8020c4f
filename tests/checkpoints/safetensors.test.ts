import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CheckpointError } from '../../src/runtime/checkpoints/checkpoint-error.ts';
import { halfToFloat } from '../../src/runtime/checkpoints/number-formats.ts';
import {
  readSafetensors,
  readSafetensorsHeader,
  type WrittenTensor,
  writeSafetensors,
} from '../../src/runtime/checkpoints/safetensors.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const directory = temporaryDirectory();

/** A file with a header given as text and a number of zero bytes after it. */
async function hostile(header: string, dataBytes: number, claimed?: bigint): Promise<string> {
  const path = join(directory, `hostile-${Math.random()}.safetensors`);
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimed ?? BigInt(json.length));
  await writeFile(path, Buffer.concat([length, json, Buffer.alloc(dataBytes)]));
  return path;
}

const f32 = (shape: number[], range: [number, number], dtype = 'F32') =>
  JSON.stringify({ dtype, shape, data_offsets: range });

test('the layout is header length, header padded to 8, then numbers: wide first, then by name', async () => {
  const path = join(directory, 'layout.safetensors');
  const tensors = new Map<string, Tensor>([
    ['mask', { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) }],
    ['b', { dtype: 'i32', shape: [], data: Int32Array.of(-7) }],
    ['7', { dtype: 'f32', shape: [2, 1], data: Float32Array.of(0.5, -2) }],
  ]);
  await writeSafetensors(path, tensors, { format: 'pt' });
  const bytes = await readFile(path);
  const length = Number(bytes.readBigUInt64LE());
  expect(length % 8).toBe(0);
  expect(
    bytes
      .subarray(8, 8 + length)
      .toString()
      .trimEnd(),
  ).toBe(
    '{"__metadata__":{"format":"pt"},"7":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},' +
      '"b":{"dtype":"I32","shape":[],"data_offsets":[8,12]},"mask":{"dtype":"BOOL","shape":[3],"data_offsets":[12,15]}}',
  );
  expect(bytes.subarray(8 + length).toString('hex')).toBe('0000003f000000c0f9ffffff010001');
  const header = await readSafetensorsHeader(path);
  expect([...header.tensors.keys()]).toEqual(['7', 'b', 'mask']);
  expect(header.metadata).toEqual({ format: 'pt' });
  expect(header.tensors.get('b')?.offset).toBe(8 + length + 8);
  expect(await readSafetensors(path)).toEqual(new Map([...tensors].reverse().map(([k, v]) => [k, v])));
  expect([...(await readSafetensors(path, ['b'])).keys()]).toEqual(['b']);
  expect((await readdir(directory)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('every number format is read exactly', async () => {
  const path = join(directory, 'formats.safetensors');
  const data = Buffer.concat([
    Buffer.from(BigInt64Array.of(-1n, 2147483647n).buffer),
    Buffer.from(Float64Array.of(Math.PI).buffer),
    Buffer.from(Uint16Array.of(0x3c00, 0x8001, 0x7c00, 0xfbff).buffer),
    Buffer.from(Uint16Array.of(0x3fc0, 0xff80).buffer),
    Buffer.from(Int16Array.of(-300).buffer),
    Buffer.from([200, 200]),
  ]);
  const header = `{"a":${f32([2], [0, 16], 'I64')},"b":${f32([1], [16, 24], 'F64')},"c":${f32([4], [24, 32], 'F16')},
    "d":${f32([2], [32, 36], 'BF16')},"e":${f32([1], [36, 38], 'I16')},"f":${f32([1], [38, 39], 'I8')},"g":${f32([1], [39, 40], 'U8')}}`;
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  await writeFile(path, Buffer.concat([length, Buffer.from(header), data]));
  const tensors = await readSafetensors(path);
  const values = Object.fromEntries([...tensors].map(([name, t]) => [name, [t.dtype, ...t.data]]));
  expect(values).toEqual({
    a: ['i32', -1, 2147483647],
    b: ['f32', Math.fround(Math.PI)],
    c: ['f32', 1, -(2 ** -24), Number.POSITIVE_INFINITY, -65504],
    d: ['f32', 1.5, Number.NEGATIVE_INFINITY],
    e: ['i32', -300],
    f: ['i32', -56],
    g: ['u8', 200],
  });
  expect(halfToFloat(0x7e00)).toBeNaN();
  expect(Object.is(halfToFloat(0x8000), -0)).toBe(true);
  expect(halfToFloat(0x3555)).toBe(0.333251953125);
});

test.each([
  ['a length past the end', '{}', 0, 1_000_000n, /claims 1000000 bytes, the file has 10/],
  ['a length of 2⁶⁴−1', '{}', 0, 2n ** 64n - 1n, /claims 18446744073709551615 bytes/],
  ['not JSON', '{"a":', 0, undefined, /header is not JSON/],
  ['not an object', '[1,2,3]', 0, undefined, /header is not a JSON object/],
  ['a string without an end', '{"\uD800', 0, undefined, /header is not JSON/],
  [
    'a name twice',
    `{"a":${f32([1], [0, 4])},"\\u0061":${f32([1], [4, 8])}}`,
    8,
    undefined,
    /"a" is listed twice in its header/,
  ],
  ['an overlap', `{"a":${f32([2], [0, 8])},"b":${f32([1], [4, 8])}}`, 8, undefined, /"b" overlap/],
  [
    'a hole',
    `{"a":${f32([1], [0, 4])},"b":${f32([1], [8, 12])}}`,
    12,
    undefined,
    /4 bytes before tensor "b"/,
  ],
  ['bytes left over', `{"a":${f32([1], [0, 4])}}`, 9, undefined, /5 bytes at the end/],
  ['a negative size', `{"a":${f32([-1], [0, 4])}}`, 4, undefined, /"a" has the shape \[-1\]/],
  ['a negative offset', `{"a":${f32([1], [-4, 0])}}`, 4, undefined, /"a" has the range \[-4,0\]/],
  ['a backward range', `{"a":${f32([0], [4, 0])}}`, 4, undefined, /"a" has -4 bytes/],
  [
    'a size that overflows',
    `{"a":${f32([2 ** 40, 2 ** 40], [0, 4])}}`,
    4,
    undefined,
    /"a" has 4 bytes where/,
  ],
  ['a range past the end', `{"a":${f32([2], [0, 8])}}`, 4, undefined, /"a" ends 4 bytes after/],
  [
    'an unknown format',
    `{"a":${f32([1], [0, 4], 'X32')}}`,
    4,
    undefined,
    /"a" has the unknown number format "X32"/,
  ],
  [
    'a format that every object has',
    `{"a":${f32([1], [0, 4], 'constructor')}}`,
    4,
    undefined,
    /unknown number format "constructor"/,
  ],
  ['an entry that is no object', '{"a":3}', 0, undefined, /"a" is not described by an object/],
  ['metadata that is no object of strings', '{"__metadata__":{"a":1}}', 0, undefined, /"__metadata__"/],
])('a hostile header is refused in words: %s', async (_, header, dataBytes, claimed, message) => {
  await expect(readSafetensorsHeader(await hostile(header, dataBytes, claimed))).rejects.toThrow(message);
});

test('a file too short, a missing one, a missing tensor, a long integer, a format we do not read', async () => {
  const short = join(directory, 'short');
  await writeFile(short, 'abc');
  await expect(readSafetensorsHeader(short)).rejects.toThrow(/3 bytes, less than the 8/);
  await expect(readSafetensors(join(directory, 'nowhere'))).rejects.toThrow(/nowhere: no such file/);
  const empty = await hostile('{}', 0);
  expect((await readSafetensors(empty)).size).toBe(0);
  await expect(readSafetensors(empty, ['x'])).rejects.toThrow(/has no tensor "x"/);
  const eight = await hostile(`{"a":${f32([1], [0, 1], 'F8_E4M3')}}`, 1);
  await expect(readSafetensors(eight)).rejects.toThrow(/"a" has the number format F8_E4M3/);
  const long = await hostile(`{"a":${f32([1], [0, 8], 'I64')}}`, 8);
  const bytes = await readFile(long);
  bytes.writeBigInt64LE(2n ** 31n, bytes.length - 8);
  await writeFile(long, bytes);
  await expect(readSafetensors(long)).rejects.toThrow(/"a": the value 2147483648 needs more than 32 bits/);
});

test('any bytes are read or refused in words, never anything else', async () => {
  const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(-0, 2 ** 53, 4, 8));
  const entry = fc.record(
    {
      dtype: fc.oneof(fc.constantFrom('F32', 'BF16', 'U64'), fc.jsonValue()),
      shape: fc.oneof(fc.array(number), fc.jsonValue()),
      data_offsets: fc.oneof(
        fc.array(number),
        fc.tuple(fc.constantFrom(0, 4), fc.constantFrom(4, 8)),
        fc.jsonValue(),
      ),
    },
    { requiredKeys: [] },
  );
  const names = fc.oneof(fc.string(), fc.constantFrom('__metadata__', '__proto__', 'constructor'));
  const header = fc.oneof(
    fc.dictionary(names, fc.oneof(entry, fc.jsonValue())).map((x) => JSON.stringify(x)),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(header, fc.nat(16), async (text, bytes) => {
      await readSafetensors(await hostile(text, bytes)).catch((error) =>
        expect(error).toBeInstanceOf(CheckpointError),
      );
    }),
    { numRuns: 300 },
  );
});

test('what is written is read back, bit for bit, and a tensor that contradicts its shape is refused', async () => {
  const path = join(directory, 'round-trip.safetensors');
  const tensor = fc.oneof(
    fc.float32Array().map((data): Tensor => ({ dtype: 'f32', shape: [data.length], data })),
    fc.int32Array().map((data): Tensor => ({ dtype: 'i32', shape: [1, data.length], data })),
  );
  const names = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('0', '__proto__', 'model.layers.0.weight'),
  );
  const file = fc
    .array(fc.tuple(names, tensor))
    .map((entries) => new Map(entries.filter(([name]) => name !== '__metadata__')));
  await fc.assert(
    fc.asyncProperty(file, async (tensors) => {
      await writeSafetensors(path, tensors, {});
      const back = await readSafetensors(path);
      expect(back.size).toBe(tensors.size);
      for (const [name, t] of tensors) expect(back.get(name)).toEqual(t);
    }),
    { numRuns: 40 },
  );
  const wrong = new Map<string, Tensor>([['w', { dtype: 'f32', shape: [2, 2], data: new Float32Array(3) }]]);
  await expect(writeSafetensors(path, wrong)).rejects.toThrow(
    /"w" has 3 numbers where its shape \[2,2\] needs 4/,
  );
});

test('a tensor that comes chunk by chunk is written as one in memory, and one of another size is refused', async () => {
  const values = Float32Array.from({ length: 600 }, (_, i) => i / 7);
  const bytes = new Uint8Array(values.buffer);
  const chunked = (end: number) => ({
    dtype: 'f32' as const,
    shape: [600],
    async *chunks() {
      for (let start = 0; start < end; start += 1000)
        yield bytes.subarray(start, Math.min(start + 1000, end));
    },
  });
  const codes: Tensor = { dtype: 'u8', shape: [3], data: Uint8Array.of(1, 128, 255) };
  const [whole, parts] = ['whole', 'parts'].map((name) => join(directory, `${name}.safetensors`));
  const written = (m: WrittenTensor) => new Map([['m', m] as const, ['c', codes] as const]);
  await writeSafetensors(whole!, written({ dtype: 'f32', shape: [600], data: values }));
  await writeSafetensors(parts!, written(chunked(2400)));
  expect(await readFile(parts!)).toEqual(await readFile(whole!));
  expect((await readSafetensors(parts!)).get('m')!.data).toEqual(values);
  await expect(writeSafetensors(parts!, written(chunked(2000)))).rejects.toThrow(CheckpointError);
  expect(await readFile(parts!)).toEqual(await readFile(whole!));
});
