/** Decoding from the cache gives the tokens that PyTorch's greedy decoding gives, padded or not. */
import { afterEach, describe, expect, test } from 'vitest';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { reference } from '../../src/runtime/executables/reference/reference.ts';
import { Decoder } from '../../src/runtime/generation/decoder.ts';
import { lora } from '../../src/runtime/methods/lora.ts';
import type { AppliedMethod } from '../../src/runtime/methods/method.ts';
import type { Program } from '../../src/runtime/programs/program.ts';
import { random } from '../../src/runtime/random/random.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import { type Golden, goldenNames, readGolden } from '../reference/golden.ts';

const open: Decoder[] = [];
afterEach(async () => {
  for (const decoder of open.splice(0)) await decoder.dispose();
});

function decoderOf(
  { family, config }: Golden,
  engine = onnx,
  method?: AppliedMethod,
  cacheStep?: number,
): Decoder {
  const load = (program: Program) => engine.load(optimize(program));
  const decoder = new Decoder({ family, config, method, load, pad: 0, ...(cacheStep && { cacheStep }) });
  open.push(decoder);
  return decoder;
}

const greedy = { maxNewTokens: 10, stop: [] };

describe.each(goldenNames)('%s', (name) => {
  test.each([onnx, reference])('greedy decoding on $name', async (engine) => {
    const golden = await readGolden(name);
    const prompt = golden.expected('greedy.prompt').data as Int32Array;
    const expected = golden.expected('greedy.output').data.slice(prompt.length);
    const streamed: number[] = [];
    for await (const token of decoderOf(golden, engine).stream(prompt, golden.weights, greedy))
      streamed.push(token);
    expect(streamed).toEqual([...expected]);
  });

  test('a batch of prompts of different lengths gives what each gives alone', async () => {
    const golden = await readGolden(name);
    const decoder = decoderOf(golden);
    const tokens = golden.expected('a.input_ids').data as Int32Array;
    const prompts = [tokens.slice(0, 3), tokens.slice(0, 16), tokens.slice(2, 9)];
    const options = { maxNewTokens: 40, stop: [tokens[0]!], temperature: 1.5 };
    const together = await decoder.generate(prompts, golden.weights, { ...options, random: random(7) });
    const seeds = random(7);
    for (const [row, prompt] of prompts.entries()) {
      const own = seeds.integer(2 ** 31);
      const stream = { ...random(0), integer: () => own };
      const filled = prompts.slice(0, row + 1).fill(prompt);
      const alone = await decoder.generate(filled, golden.weights, { ...options, random: stream });
      expect([...alone[row]!]).toEqual([...together[row]!]);
    }
    expect(new Set(together.map(String)).size).toBe(3);
  });

  test('the cache grows without changing a token', async () => {
    const golden = await readGolden(name);
    const decoder = decoderOf(golden, onnx, undefined, 8);
    const prompt = golden.expected('greedy.prompt').data as Int32Array;
    const [free] = await decoder.generate([prompt], golden.weights, { maxNewTokens: 500, stop: [] });
    const [reserved] = await decoder.generate([prompt], golden.weights, {
      maxNewTokens: 58,
      stop: [],
      promptTokens: 6,
    });
    expect(free!.length).toBe(64 - 6);
    expect(free).toEqual(reserved);
  });
});

test('an adapter in the programs decodes as the merged weights do', async () => {
  const golden = await readGolden('llama');
  const { family, config, weights } = golden;
  const target = {
    config,
    parameters: family.parameters(config),
    linears: family.linears(config),
    blocks: family.blocks(config),
  };
  const method = lora.apply(target, { r: 4, alpha: 8, dropout: 0.1 });
  const prompt = golden.expected('greedy.prompt').data as Int32Array;
  const both = new Map([...weights, ...golden.adapter]);
  const [adapted] = await decoderOf(golden, onnx, method).generate([prompt], both, greedy);
  const merged = new Map([...weights, ...method.adapter!.merge(weights, golden.adapter)]);
  const [folded] = await decoderOf(golden).generate([prompt], merged, greedy);
  expect(adapted).toEqual(folded);
  expect(adapted).not.toEqual(golden.expected('greedy.output').data.slice(prompt.length));
});

test('a row ends with its stop token', async () => {
  const golden = await readGolden('llama');
  const prompt = golden.expected('greedy.prompt').data as Int32Array;
  const output = golden.expected('greedy.output').data.slice(prompt.length);
  const stop = output[4]!;
  const [row] = await decoderOf(golden).generate([prompt], golden.weights, {
    maxNewTokens: 10,
    stop: [stop],
  });
  expect([...row!]).toEqual([...output.slice(0, output.indexOf(stop) + 1)]);
});

test('prompts that cannot be decoded are refused in words', async () => {
  const golden = await readGolden('llama');
  const decoder = decoderOf(golden);
  const run = (prompt: Int32Array) => decoder.generate([prompt], golden.weights, greedy);
  await expect(run(new Int32Array(65))).rejects.toThrow(
    "a prompt has 65 tokens; the model's context holds 64",
  );
  await expect(run(new Int32Array(0))).rejects.toThrow('a prompt has no token');
});
