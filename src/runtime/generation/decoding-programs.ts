/**
 * The two programs of decoding with a cache. B rows, T prompt tokens, P capacity of the cache, V vocabulary,
 * K key/value heads, E head size.
 */
import type { AppliedMethod } from '../methods/method.ts';
import type { ForwardOutputs, ModelConfig, ModelFamily, ModelShape } from '../models/model.ts';
import { input, matmul, program, reshape, sliceAxis } from '../programs/builder.ts';
import type { Node, Program } from '../programs/program.ts';

export interface DecodedModel {
  readonly family: ModelFamily;
  readonly config: ModelConfig;
  /** Brings its adapters into the programs; absent for the bare model. */
  readonly method?: AppliedMethod | undefined;
}

/** Inputs `ids`, `positions` i32 (B, T), `bias` f32 (B, 1, T, T); outputs as `stepProgram`'s with T for 1. */
export function prefillProgram(model: DecodedModel, batch: number, tokens: number): Program {
  const outputs = model.family.forward(model.config, {
    ids: input('ids', 'i32', [batch, tokens]),
    positions: input('positions', 'i32', [batch, tokens]),
    bias: input('bias', 'f32', [batch, 1, tokens, tokens]),
  });
  return finish(`prefill-${batch}x${tokens}`, model, outputs);
}

/**
 * One token a row. Inputs `ids`, `positions` i32 (B, 1), `bias` f32 (B, 1, 1, P + 1), where a window is narrower than that
 * `bias.window` of the same shape, and for each block i `past.key.i`, `past.value.i` f32 (B, K, P, E). Outputs `logits` f32 (B, V) of the last token and the new `key.i`, `value.i`
 * f32 (B, K, 1, E): the cache itself never passes through the graph.
 */
export function stepProgram(model: DecodedModel, batch: number, capacity: number): Program {
  const shape = model.family.shape(model.config);
  const { blocks, keyValueHeads, headSize } = shape;
  const bias = (name: string): Node => input(name, 'f32', [batch, 1, 1, capacity + 1]);
  const past = (name: string, i: number): Node =>
    input(`past.${name}.${i}`, 'f32', [batch, keyValueHeads, capacity, headSize]);
  const outputs = model.family.forward(model.config, {
    ids: input('ids', 'i32', [batch, 1]),
    positions: input('positions', 'i32', [batch, 1]),
    bias: bias('bias'),
    ...(windowIn(shape, capacity) !== undefined && { windowBias: bias('bias.window') }),
    past: Array.from({ length: blocks }, (_, i) => ({ key: past('key', i), value: past('value', i) })),
  });
  return finish(`step-${batch}x${capacity}`, model, outputs);
}

/** The window that hides some of P tokens and the one that follows them. */
export function windowIn({ window }: ModelShape, capacity: number): number | undefined {
  return window !== undefined && window <= capacity ? window : undefined;
}

function finish(name: string, { family, config, method }: DecodedModel, outputs: ForwardOutputs): Program {
  const [batch, tokens, width] = outputs.hidden.shape as [number, number, number];
  const last = reshape(sliceAxis(outputs.hidden, 1, tokens - 1, tokens), [batch, width]);
  const present = outputs.present.flatMap(({ key, value }, i): [string, Node][] => [
    [`key.${i}`, key],
    [`value.${i}`, value],
  ]);
  const built = program(name, {
    logits: matmul(last, family.head(config), { transposeB: true }),
    ...Object.fromEntries(present),
  });
  return method === undefined ? built : method.rewrite(built, { dropout: false });
}
