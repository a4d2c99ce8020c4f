/** Decoding as one program for any batch and any lengths: prompts and single tokens, with or without a past. */
import type { GenerationProgram } from '../executables/onnx/generation-model.ts';
import { type SymbolicSizes, symbolicSizes } from '../executables/onnx/symbolic-sizes.ts';
import { MASKED } from '../layers/mask.ts';
import type { ModelConfig, ModelFamily } from '../models/model.ts';
import { concat, input, matmul, program } from '../programs/builder.ts';
import type { Node, Program } from '../programs/program.ts';

/** What a model computes when it generates, and the sizes that are only known then. */
export function generationProgram(family: ModelFamily, config: ModelConfig): GenerationProgram {
  const shape = family.shape(config);
  const known = family.parameters(config).flatMap((spec) => [...spec.shape]);
  const avoid = [...known, shape.heads, shape.keyValueHeads, shape.headSize];
  const sizes = symbolicSizes(avoid, shape.window ?? 0);
  return { program: build(family, config, sizes), sizes, masked: MASKED, window: shape.window };
}

/**
 * B batch, T new tokens, P tokens in the cache. Inputs `ids`, `positions` i32 (B, T), `bias` and, where the model has a
 * window, `bias.window` f32 (B, 1, T, P + T), `past_key_values.i.key` and `.value` f32 (B, K, P, E). Outputs `logits` f32
 * (B, T, V), `present.i.key` and `.value` f32 (B, K, P + T, E): the past with the new tokens.
 */
function build(family: ModelFamily, config: ModelConfig, { batch, tokens, past }: SymbolicSizes): Program {
  const shape = family.shape(config);
  const { blocks, keyValueHeads, headSize, window, context } = shape;
  const bias = (name: string): Node => input(name, 'f32', [batch, 1, tokens, past + tokens]);
  const cached = (i: number, part: string): Node =>
    input(`past_key_values.${i}.${part}`, 'f32', [batch, keyValueHeads, past, headSize]);
  const cache = Array.from({ length: blocks }, (_, i) => ({
    key: cached(i, 'key'),
    value: cached(i, 'value'),
  }));
  const { hidden, present } = family.forward(config, {
    ids: input('ids', 'i32', [batch, tokens]),
    positions: input('positions', 'i32', [batch, tokens]),
    bias: bias('bias'),
    ...(window !== undefined && { windowBias: bias('bias.window') }),
    past: cache,
    // Where longer texts have other angles from their first token on, such positions are out of bounds.
    tableRows: Math.min(context, shape.fixedUpTo ?? context),
  });
  const joined = present.flatMap(({ key, value }, i): [string, Node][] => [
    [`present.${i}.key`, concat([cache[i]!.key, key], 2)],
    [`present.${i}.value`, concat([cache[i]!.value, value], 2)],
  ]);
  return program('generation', {
    logits: matmul(hidden, family.head(config), { transposeB: true }),
    ...Object.fromEntries(joined),
  });
}
