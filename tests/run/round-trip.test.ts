/** Import, export, import: the weights bit for bit in the numbers they came in, the tokenizer byte for byte. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkpointTensors } from '../../src/runtime/checkpoints/checkpoint-tensors.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { writeWhole } from '../../src/runtime/run/export-files.ts';
import { readModel } from '../../src/runtime/run/policies.ts';
import type { ExportForm, Policy, Reward } from '../../src/runtime/stages/stage.ts';
import { goldenDirectory, modelDirectory } from '../reference/checkpoints/read.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { PLAIN_FORM } from './plain-form.ts';
import { TINY, workshops } from './workshop.ts';

const workshop = workshops();

const bitsOf = (weights: ReadonlyMap<string, Tensor>): Map<string, Uint8Array> =>
  new Map(
    [...weights].map(([name, { data }]) => [name, new Uint8Array(data.buffer.slice(0), 0, data.byteLength)]),
  );

const formatsOf = async (directory: string): Promise<string[]> => [
  ...new Set([...(await checkpointTensors(directory))!.values()].map(({ format }) => format)),
];

async function exported(model: Policy | Reward, options: Partial<ExportForm> = {}): Promise<string> {
  const directory = temporaryDirectory();
  await writeWhole(directory, model, { ...PLAIN_FORM, ...options });
  return directory;
}

test.each([
  [modelDirectory('llama-bf16-shards'), ['BF16']],
  [modelDirectory('qwen2-f16'), ['F16']],
  [goldenDirectory('gpt2'), ['F32']],
  [modelDirectory('llama-reward'), ['F32']],
])('%s', async (source, formats) => {
  const model = await readModel(source);
  const once = await exported(model);
  const again = await readModel(once);
  expect(await formatsOf(once)).toEqual(formats);
  expect(bitsOf(again.weights)).toEqual(bitsOf(model.weights));
  expect('score' in again && again.score.data).toEqual('score' in model && model.score.data);
  const twice = await exported(again, { shardBytes: 4000 });
  expect((await checkpointTensors(twice))!.size).toBe((await checkpointTensors(once))!.size);
  expect(bitsOf((await readModel(twice)).weights)).toEqual(bitsOf(model.weights));
  for (const file of ['model.safetensors', 'config.json'])
    expect(readFileSync(join(await exported(again), file)).equals(readFileSync(join(once, file))), file).toBe(
      true,
    );
});

test('tokenizer.json keeps its bytes through a pipeline, however it is written', async () => {
  const shop = workshop(`pretrain(${TINY} max_steps=1) → export(to="first")`);
  expect((await shop.run()).end.exit_code).toBe(0);
  cpSync(join(shop.directory, 'first'), join(shop.directory, 'base'), { recursive: true });
  const path = join(shop.directory, 'base/tokenizer.json');
  const value = JSON.parse(readFileSync(path, 'utf8'));
  // Other spaces, an escape that need not be, a number with a needless point, keys that nobody knows, no last line end.
  const text = JSON.stringify({ zu: 1, ...value, note: 'Zoé' }, null, 3).replace(
    'Zoé"',
    'Zo\\u00e9", "x": 1.0e0',
  );
  writeFileSync(path, text);
  shop.pipeline('open(local("base")) → export(to="second")');
  const said = await shop.run();
  expect(said.of('diagnostic')).toEqual([]);
  expect(shop.read('second/tokenizer.json')).toBe(text);
  const [base, second] = await Promise.all(
    ['base', 'second'].map((name) => readModel(join(shop.directory, name))),
  );
  expect(bitsOf(second!.weights)).toEqual(bitsOf(base!.weights));
});
