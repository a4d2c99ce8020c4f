/** Tiny models of both families, the bare programs of a step on them, and numbers to feed. */
import { full } from '../../src/runtime/methods/full.ts';
import type { AppliedMethod, Method, MethodTarget } from '../../src/runtime/methods/method.ts';
import { gpt2 } from '../../src/runtime/models/gpt2.ts';
import { llama } from '../../src/runtime/models/llama.ts';
import type { ModelConfig, ModelFamily } from '../../src/runtime/models/model.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';
import { inputsOf, type Program } from '../../src/runtime/programs/program.ts';
import { languageModelProgram } from '../../src/runtime/stages/parts/language-model-program.ts';
import { randomNumbers, randomTensor, withParameters } from '../programs/random-tensors.ts';

const special = { vocabularySize: 23, eos: 0, pad: 0 };
const sizes = { layers: 3, width: 16, heads: 4, context: 8 };

export const families: readonly (readonly [ModelFamily, ModelConfig])[] = [
  [llama, llama.configure({ ...sizes, kv_heads: 2, mlp: 24 }, special)],
  [gpt2, gpt2.configure(sizes, special)],
];

const targetOf = (family: ModelFamily, config: ModelConfig): MethodTarget => ({
  config,
  parameters: family.parameters(config),
  linears: family.linears(config),
  blocks: family.blocks(config),
});

export const applied = (
  method: Method,
  [family, config]: readonly [ModelFamily, ModelConfig],
  options: Parameters<Method['apply']>[1] = {},
): AppliedMethod => method.apply(targetOf(family, config), options);

/** Next-token training on 2 × 6 tokens. */
export function bareStep(
  [family, config]: readonly [ModelFamily, ModelConfig],
  method: Method = full,
): Program {
  return languageModelProgram({ family, config, batch: 2, length: 6, headTrainable: method === full });
}

/** Values of every input and parameter, the same for the same program. */
export function feedsOf(program: Program): Map<string, Tensor> {
  const random = randomNumbers(5);
  const fed = inputsOf(program).map(({ attributes: { name }, dtype, shape }): [string, Tensor] => [
    name,
    randomTensor({ dtype, shape, low: 0, high: dtype === 'i32' ? special.vocabularySize : 0.1 }, random),
  ]);
  return withParameters(program, new Map(fed), random);
}
