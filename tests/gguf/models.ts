/** Small models with random weights, and what ftc computes of them. */
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { Decoder } from '../../src/runtime/generation/decoder.ts';
import { causalBiasTensor } from '../../src/runtime/layers/mask.ts';
import type { ModelConfig, ModelFamily, ParameterSpec } from '../../src/runtime/models/model.ts';
import { input, matmul, program, reshape } from '../../src/runtime/programs/builder.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { random } from '../../src/runtime/random/random.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import type { Policy } from '../../src/runtime/stages/stage.ts';
import { byteAlphabet } from '../../src/runtime/tokenizers/byte-alphabet.ts';
import { defaultTemplate, stopTokensOf } from '../../src/runtime/tokenizers/chat-template.ts';
import { loadTokenizer } from '../../src/runtime/tokenizers/load-tokenizer.ts';
import { specialTokensOf } from '../../src/runtime/tokenizers/special-tokens-of.ts';
import type { TokenizerFiles } from '../../src/runtime/tokenizers/tokenizer-files.ts';
import { trainTokenizer } from '../../src/runtime/tokenizers/train-tokenizer.ts';
import { trainingTexts } from './texts.ts';

/** As ftc trains one. */
export const trainedTokenizer = (vocabularySize = 600): Promise<TokenizerFiles> =>
  trainTokenizer(trainingTexts, {
    vocabularySize,
    specialTokens: specialTokensOf(defaultTemplate),
    chatTemplate: defaultTemplate,
  });

export function policyOf(
  family: ModelFamily,
  config: ModelConfig,
  tokenizerFiles: TokenizerFiles,
  weights: ReadonlyMap<string, Tensor> = randomWeights(family.parameters(config)),
): Policy {
  const tokenizer = loadTokenizer(tokenizerFiles.json, tokenizerFiles.config);
  const template = String(tokenizerFiles.config.chat_template ?? '');
  return {
    family,
    config,
    weights,
    tokenizer,
    tokenizerFiles,
    template,
    stop: stopTokensOf(tokenizer, template),
  };
}

/** One letter a token; nothing is merged. For models that came without a tokenizer. */
export function lettersTokenizer(count: number): TokenizerFiles {
  const letters = [...byteAlphabet].slice(0, count - 1);
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false };
  const end = { id: count - 1, content: '<|end|>', single_word: false, lstrip: false, rstrip: false };
  return {
    json: {
      added_tokens: [{ ...end, normalized: false, special: true }],
      normalizer: null,
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: true },
      post_processor: null,
      decoder: bytes,
      model: {
        type: 'BPE',
        vocab: Object.fromEntries([...letters, '<|end|>'].map((letter, id) => [letter, id])),
        merges: [],
      },
    },
    config: { eos_token: '<|end|>' },
  };
}

/** Of every token, after the last of these. */
export async function logitsAfter(
  { family, config, weights }: Policy,
  ids: readonly number[],
): Promise<Float32Array> {
  const tokens = ids.length;
  const { hidden } = family.forward(config, {
    ids: input('ids', 'i32', [1, tokens]),
    positions: input('positions', 'i32', [1, tokens]),
    bias: input('bias', 'f32', [1, 1, tokens, tokens]),
  });
  const flat = reshape(hidden, [tokens, hidden.shape[2]!]);
  const built = program('logits', { logits: matmul(flat, family.head(config), { transposeB: true }) });
  const feed = (data: Int32Array) => ({ dtype: 'i32' as const, shape: [1, tokens], data });
  const executor = await onnx.load(optimize(built), { threads: 1 });
  const results = await executor.run(
    new Map<string, Tensor>([
      ...weights,
      ['ids', feed(Int32Array.from(ids))],
      ['positions', feed(Int32Array.from(ids, (_, i) => i))],
      ['bias', causalBiasTensor(tokens, [0])],
    ]),
  );
  await executor.dispose();
  const { data, shape } = results.get('logits')!;
  return (data as Float32Array).slice((tokens - 1) * shape[1]!);
}

/** Large enough that greedy tokens are far apart. */
export function randomWeights(specs: readonly ParameterSpec[], seed = 1): Map<string, Tensor> {
  return new Map(
    specs.map(({ name, shape }) => {
      const draw = random(seed, name);
      const data = new Float32Array(shape.reduce((product, n) => product * n, 1));
      const around = /norm.*\.weight$|ln_.\.weight$/.test(name) ? 1 : 0;
      const spread = name.includes('embed') || name.includes('wte') ? 0.5 : 0.2;
      for (let i = 0; i < data.length; i++) data[i] = around + spread * (2 * draw.uniform() - 1);
      return [name, { dtype: 'f32', shape, data }];
    }),
  );
}

/** The likeliest tokens after the prompt. */
export async function greedy(
  { family, config, weights }: Policy,
  prompt: Int32Array,
  count: number,
): Promise<number[]> {
  const decoder = new Decoder({
    family,
    config,
    load: (program) => onnx.load(optimize(program), { threads: 1 }),
    pad: 0,
  });
  const [tokens] = await decoder.generate([prompt], weights, {
    maxNewTokens: count,
    stop: [],
    temperature: 0,
  });
  await decoder.dispose();
  return [...tokens!];
}
