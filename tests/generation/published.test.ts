/** Greedy decoding of published families as transformers' `generate`: windows in the cache, scalings past their length. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Executable } from '../../src/runtime/executables/executable.ts';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { Decoder } from '../../src/runtime/generation/decoder.ts';
import type { Program } from '../../src/runtime/programs/program.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import { type PublishedModel, publishedNames, readPublished } from '../reference/published-models.ts';

const open: Decoder[] = [];
afterEach(async () => {
  for (const decoder of open.splice(0)) await decoder.dispose();
});

function decoderOf({ family, config }: PublishedModel, engine: Executable = onnx, cacheStep = 128): Decoder {
  const load = (program: Program) => engine.load(optimize(program));
  const decoder = new Decoder({ family, config, load, pad: 0, cacheStep });
  open.push(decoder);
  return decoder;
}

const idsOf = (model: PublishedModel, key: string) => model.expected.get(key)!.data as Int32Array;
const greedy = { maxNewTokens: 10, stop: [] };

describe.each(publishedNames)('%s', (name) => {
  test.each([
    { length: 'short', engine: onnx },
    { length: 'long', engine: onnx },
    { length: 'short', engine: reference },
    { length: 'long', engine: reference },
  ] as const)('10 tokens after a $length prompt on $engine.name', async ({ length, engine }) => {
    const model = await readPublished(name);
    const [tokens] = await decoderOf(model, engine).generate(
      [idsOf(model, `greedy.${length}.prompt`)],
      model.weights,
      greedy,
    );
    expect([...tokens!]).toEqual([...idsOf(model, `greedy.${length}.output`)]);
  });

  test('the cache grows without changing a token', async () => {
    const model = await readPublished(name);
    const prompt = idsOf(model, 'greedy.short.prompt');
    const small = decoderOf(model, onnx, 4);
    const [grown] = await small.generate([prompt], model.weights, { ...greedy, maxNewTokens: 21 });
    const whole = { ...greedy, maxNewTokens: 21, promptTokens: 9 };
    const [reserved] = await decoderOf(model).generate([prompt], model.weights, whole);
    expect(grown).toEqual(reserved);
    expect([...grown!.slice(0, 10)]).toEqual([...idsOf(model, 'greedy.short.output')]);
  });
});

test.each(['mistral-window', 'qwen2-window', 'qwen3-window', 'qwen3'])(
  '%s: prompts of different lengths in one batch give what each gives alone',
  async (name) => {
    const model = await readPublished(name);
    const prompts = (['short', 'long'] as const).map((key) => idsOf(model, `greedy.${key}.prompt`));
    const together = await decoderOf(model).generate(prompts, model.weights, greedy);
    expect(together.map((row) => [...row])).toEqual(
      (['short', 'long'] as const).map((key) => [...idsOf(model, `greedy.${key}.output`)]),
    );
  },
);
