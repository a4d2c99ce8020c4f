/** Small models with random weights, and what ftc computes of them. */
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { Decoder } from '../../src/runtime/generation/decoder.ts';
import type { ModelConfig, ModelFamily, ParameterSpec } from '../../src/runtime/models/model.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { random } from '../../src/runtime/random/random.ts';
import { optimize } from '../../src/runtime/rewrites/optimize.ts';
import type { Policy } from '../../src/runtime/stages/stage.ts';
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
