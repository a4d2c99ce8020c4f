/** Files that others made, damaged or made to do harm: refused in words, in bounded time and memory. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CheckpointError } from '../../src/runtime/checkpoints/checkpoint-error.ts';
import { checkpointTensors } from '../../src/runtime/checkpoints/checkpoint-tensors.ts';
import { readModelJson } from '../../src/runtime/checkpoints/model-files.ts';
import { readSafetensorsHeader } from '../../src/runtime/checkpoints/safetensors.ts';
import { readTensorNow } from '../../src/runtime/checkpoints/tensor-bytes.ts';
import { safetensorsFile } from '../reference/checkpoints/safetensors-file.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

const entry = (start: number, end: number) =>
  `{"dtype":"U8","shape":[${end - start}],"data_offsets":[${start},${end}]}`;
const one = safetensorsFile(`{"a":${entry(0, 4)}}`, 4);
const INDEX = 'model.safetensors.index.json';

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(CheckpointError);
  return (error as Error).message;
}

/** Of a header and so many bytes behind it. */
const refusalOf = (header: string, bytes = 0): Promise<string> => {
  const directory = temporaryDirectory({ 'x.safetensors': safetensorsFile(header, bytes) });
  return refusal(readSafetensorsHeader(join(directory, 'x.safetensors')));
};

test.each([
  ['lists in lists', `{"a":${'['.repeat(300_000)}`, /more than 8 levels of lists and objects/],
  ['objects in objects', `${'{"a":'.repeat(300_000)}`, /more than 8 levels of lists and objects/],
  ['millions of values', `{"a":[${'0,'.repeat(2_100_000)}0]}`, /more than 2000000 values/],
  ['a key twice in an entry', '{"a":{"dtype":"U8","dtype":"F32"}}', /"dtype" is listed twice/],
  ['a name twice, once escaped', `{"a":${entry(0, 0)},"\\u0061":${entry(0, 0)}}`, /"a" is listed twice/],
  ['bytes that are not UTF-8', '{"\xff":1}', /header is not UTF-8/],
  ['a byte order mark', '\xef\xbb\xbf{}', /header is not a JSON object/],
  ['space before the object', ' {}', /header is not a JSON object/],
  [
    'a number with a fraction',
    '{"a":{"dtype":"U8","shape":[0.5],"data_offsets":[0,0]}}',
    /"a" has the shape \[0.5\]/,
  ],
  [
    'a number past 2⁵³',
    '{"a":{"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,0]}}',
    /"a" has the shape/,
  ],
  [
    'infinite numbers',
    '{"a":{"dtype":"U8","shape":[1e999],"data_offsets":[0,0]}}',
    /"a" has the shape \[null\]/,
  ],
  [
    'a product of zero and infinity',
    `{"a":{"dtype":"U8","shape":[${'9007199254740991,'.repeat(30)}0],"data_offsets":[0,0]}}`,
    /"a" has 0 bytes where/,
  ],
  ['a very long name', `{"${'x'.repeat(1_000_000)}":1}`, /the tensor "x{119}… is not described by an object/],
  [
    'a name that talks to a terminal',
    '{"\\u001b[2J\\u0007":1}',
    /the tensor "\\u001b\[2J\\u0007" is not described/,
  ],
])('%s', async (_, header, message) => {
  const started = performance.now();
  const text = await refusalOf(header);
  expect(text).toMatch(message);
  expect(text.length).toBeLessThan(600);
  expect(performance.now() - started).toBeLessThan(3000);
});

test('a header of nothing, as long as may be, is not taken apart', async () => {
  const directory = temporaryDirectory({ 'x.safetensors': safetensorsFile('', 0, 99_999_000n) });
  truncateSync(join(directory, 'x.safetensors'), 200_000_000);
  expect(await refusal(readSafetensorsHeader(join(directory, 'x.safetensors')))).toMatch(/not a JSON object/);
});

test('what is no file is not opened: a directory, a device, a pipe that nobody writes', async () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'model.safetensors'));
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(directory, 'pipe')]);
  for (const path of [join(directory, 'model.safetensors'), join(directory, 'pipe'), '/dev/zero'])
    expect(await refusal(readSafetensorsHeader(path))).toMatch(
      /is not a file but a directory, device or pipe/,
    );
  expect(await refusal(checkpointTensors(directory))).toMatch(/model.safetensors: is not a file/);
  const linked = temporaryDirectory();
  symlinkSync('/dev/zero', join(linked, 'config.json'));
  const limits = { bytes: 100, depth: 9, values: 9 };
  expect(await refusal(readModelJson(linked, 'config.json', limits))).toMatch(
    /leads out of the model's directory/,
  );
  symlinkSync('loop', join(linked, 'loop'));
  expect(await refusal(readModelJson(linked, 'loop', limits))).toMatch(/is a link to nowhere \(ELOOP\)/);
});

test('a JSON file is read up to its limits', async () => {
  const directory = temporaryDirectory({ 'a.json': '{"a":[1,2,3]}', 'b.json': '[1]', 'c.json': '{' });
  const read = (file: string, limits: object) =>
    readModelJson(directory, file, { bytes: 100, depth: 2, values: 10, ...limits });
  expect(await read('a.json', {})).toEqual({ a: [1, 2, 3] });
  expect(await read('z.json', {})).toBeUndefined();
  expect(await refusal(read('a.json', { bytes: 12 }))).toMatch(
    /has 13 bytes, more than the 12 that are read/,
  );
  expect(await refusal(read('a.json', { depth: 1 }))).toMatch(/more than 1 levels/);
  expect(await refusal(read('a.json', { values: 3 }))).toMatch(/more than 3 values/);
  expect(await refusal(read('b.json', {}))).toMatch(/is not a JSON object but \[1\]/);
  expect(await refusal(read('c.json', {}))).toMatch(/c.json: is not JSON/);
});

const shards = (map: unknown, files: Record<string, Uint8Array> = {}) =>
  checkpointTensors(temporaryDirectory({ [INDEX]: JSON.stringify({ weight_map: map }), ...files }));

test.each([
  '../model.safetensors',
  '/etc/x.safetensors',
  'sub/x.safetensors',
  '..\\x.safetensors',
  'x.bin',
  '',
  '.safetensors',
  3,
  null,
])('an index does not lead to %j', async (shard) => {
  expect(await refusal(shards({ a: shard }))).toMatch(
    /puts the tensor "a" into .*which is not the name of a safetensors file/,
  );
});

test('shards: missing, with a tensor too many, too few, in the wrong place, in two places; an index that is none', async () => {
  const s = 's.safetensors';
  const t = 't.safetensors';
  expect([...(await shards({ a: s }, { [s]: one }))!.keys()]).toEqual(['a']);
  expect(await refusal(shards({ a: s }))).toMatch(
    /s.safetensors: is missing: .* puts 1 tensors into it, one of 1 files/,
  );
  expect(await refusal(shards({ a: s, b: s }, { [s]: one }))).toMatch(
    /lacks the tensor "b", which .* says is in it/,
  );
  expect(await refusal(shards({}, {}))).toMatch(/lists no tensors/);
  const both = { [s]: one, [t]: safetensorsFile(`{"b":${entry(0, 1)}}`, 1) };
  expect(await refusal(shards({ a: t, b: s }, both))).toMatch(
    /holds the tensor "[ab]", which .* puts into [st].safetensors/,
  );
  expect(await refusal(shards({ a: s, b: t }, { [s]: one, [t]: one }))).toMatch(
    /t.safetensors: holds the tensor "a", .* puts into s/,
  );
  const two = safetensorsFile(`{"a":${entry(0, 4)},"c":${entry(4, 5)}}`, 5);
  expect(await refusal(shards({ a: s }, { [s]: two }))).toMatch(
    /holds the tensor "c", which .* does not list/,
  );
  expect(await refusal(shards([]))).toMatch(/has the "weight_map" \[\], not an object/);
  const twice = temporaryDirectory({ [INDEX]: `{"weight_map":{"a":"${s}","a":"${t}"}}`, [s]: one });
  expect(await refusal(checkpointTensors(twice))).toMatch(/index.json: has "a" twice/);
});

test('a file that was cut after it was opened is noticed when it is read', async () => {
  const directory = temporaryDirectory({ 'model.safetensors': one });
  const tensor = (await checkpointTensors(directory))!.get('a')!;
  truncateSync(tensor.file, readFileSync(tensor.file).length - 1);
  expect(() => readTensorNow(tensor.file, tensor)).toThrow(/the file ends inside the tensor "a"/);
  writeFileSync(tensor.file, '');
  expect(() => readTensorNow(tensor.file, tensor)).toThrow(CheckpointError);
});
