/**
 * A model for generation as one ONNX file that onnxruntime runs alone, any batch and any lengths, with the names that
 * Optimum uses. B batch, T new tokens, P tokens in the cache, S = P + T, K key/value heads, E head size, V vocabulary.
 */
import type { Tensor } from '../../programs/ops.ts';
import type { Program } from '../../programs/program.ts';
import { bytesOf, OnnxGraph, sizeValue } from './graph.ts';
import { lowerToOnnx } from './lower.ts';
import { ELEMENT, type OnnxModel, type OnnxValueInfo, type OpenValueInfo } from './protobuf.ts';
import type { SizeName, SymbolicSizes } from './symbolic-sizes.ts';

export interface GenerationProgram {
  /**
   * Inputs `ids`, `positions` i32 (B, T), `bias` and, with a window, `bias.window` f32 (B, 1, T, S), `past_key_values.i.key`
   * and `.value` f32 (B, K, P, E); its outputs are the model's.
   */
  readonly program: Program;
  /** Those that it was built at. */
  readonly sizes: SymbolicSizes;
  /** Added to scores that must not count. */
  readonly masked: number;
  /** Tokens that a token looks at, itself included, where `bias.window` is an input. */
  readonly window?: number | undefined;
}

/**
 * Inputs `input_ids` i64 (B, T), `attention_mask` i64 (B, S), `position_ids` i64 (B, T), `past_key_values.i.key`/`.value`;
 * P is 0 at first. Weights are external initializers of their own names, whose place in a file is to be filled in.
 */
export function generationModel(
  { program, sizes, masked, window }: GenerationProgram,
  weights: ReadonlyMap<string, Tensor>,
): OnnxModel<OpenValueInfo> {
  const { model } = lowerToOnnx(program, weights, 'outside', { sizes });
  const made = ['ids', 'positions', 'bias', 'bias.window'];
  const past = model.inputs.filter(({ name }) => !made.includes(name)).map((one) => open(one, sizes));
  const inputs: OpenValueInfo[] = [
    { name: 'input_ids', dtype: 'i64', shape: [SIZES.batch, SIZES.tokens] },
    { name: 'attention_mask', dtype: 'i64', shape: [SIZES.batch, SIZES.total] },
    { name: 'position_ids', dtype: 'i64', shape: [SIZES.batch, SIZES.tokens] },
    ...past,
  ];
  const prelude = new Prelude(past[0]!.name);
  prelude.biases(masked, window);
  return {
    ...model,
    nodes: [...prelude.nodes, ...model.nodes],
    initializers: [...prelude.initializers, ...model.initializers],
    inputs,
    outputs: model.outputs.map((one) => open(one, sizes)),
  };
}

const SIZES: { readonly [K in SizeName]: string } = {
  batch: 'batch_size',
  tokens: 'sequence_length',
  past: 'past_sequence_length',
  total: 'total_sequence_length',
};

function open({ name, dtype, shape }: OnnxValueInfo, sizes: SymbolicSizes): OpenValueInfo {
  const words = new Map<number, string>([
    [sizes.batch, SIZES.batch],
    [sizes.tokens, SIZES.tokens],
    [sizes.past, SIZES.past],
    [sizes.past + sizes.tokens, SIZES.total],
  ]);
  return { name, dtype, shape: shape.map((size) => words.get(size) ?? size) };
}

/** What stands between the inputs that other programs know and those of the program. */
class Prelude {
  private readonly graph = new OnnxGraph();
  private count = 0;

  constructor(past: string) {
    this.write('Cast', ['input_ids'], 'ids', { to: ELEMENT.i32 });
    this.write('Cast', ['position_ids'], 'positions', { to: ELEMENT.i32 });
    this.write('Shape', ['input_ids'], sizeValue('batch'), { start: 0, end: 1 });
    this.write('Shape', ['input_ids'], sizeValue('tokens'), { start: 1, end: 2 });
    this.write('Shape', [past], sizeValue('past'), { start: 2, end: 3 });
    this.write('Add', [sizeValue('past'), sizeValue('tokens')], sizeValue('total'));
  }

  get nodes() {
    return this.graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(renamed),
      outputs: node.outputs.map(renamed),
    }));
  }

  get initializers() {
    return this.graph.initializers.map((one) => ({ ...one, name: renamed(one.name) }));
  }

  /** 0 where a token may look: at those no later than itself, not masked and, with a window, not too far back. */
  biases(masked: number, window: number | undefined): void {
    const scalar = (name: SizeName) => this.write('Squeeze', [sizeValue(name)]);
    const zero = this.graph.integers([0], []);
    const one = this.graph.integers([1], []);
    const [past, total] = [scalar('past'), scalar('total')];
    const keys = this.write('Range', [zero, total, one]);
    const queries = this.write('Unsqueeze', [
      this.write('Range', [past, total, one]),
      this.graph.integers([1]),
    ]);
    const causal = this.write('LessOrEqual', [keys, queries]);
    const real = this.write('Unsqueeze', [
      this.write('Cast', ['attention_mask'], undefined, { to: ELEMENT.bool }),
      this.graph.integers([1, 2]),
    ]);
    const seen = this.write('And', [causal, real]);
    this.bias('bias', seen, masked);
    if (window === undefined) return;
    const distance = this.write('Sub', [queries, keys]);
    const near = this.write('Less', [distance, this.graph.integers([window], [])]);
    this.bias('bias.window', this.write('And', [seen, near]), masked);
  }

  private bias(name: string, seen: string, masked: number): void {
    this.write('Where', [seen, this.graph.floats([0], []), this.graph.floats([masked], [])], name);
  }

  private write(
    operator: string,
    inputs: readonly string[],
    output = `value.${this.count++}`,
    attributes: Readonly<Record<string, number>> = {},
  ): string {
    this.graph.nodes.push({ operator, domain: '', inputs, outputs: [output], attributes });
    return output;
  }
}

/** Two graphs in one: names that were given here. */
const renamed = (name: string): string => (/^(#|value\.)/.test(name) ? `input:${name}` : name);

/** Writes each weight's place, one after another, into the model; `file` holds them in this order. */
export function placeWeights(
  model: OnnxModel<OpenValueInfo>,
  file: string,
): { readonly model: OnnxModel<OpenValueInfo>; readonly names: readonly string[]; readonly bytes: number } {
  let offset = 0;
  const names: string[] = [];
  const initializers = model.initializers.map((one) => {
    if (!('external' in one.data)) return one;
    names.push(one.name);
    const placed = { ...one, data: { external: file, length: one.data.length, offset } };
    offset += Math.ceil(one.data.length / ALIGNMENT) * ALIGNMENT;
    return placed;
  });
  return { model: { ...model, initializers }, names, bytes: offset };
}

/** Of every weight's first byte, so that they can be mapped. */
export const ALIGNMENT = 64;

/** The same model with its weights inside. */
export function embedWeights(
  model: OnnxModel<OpenValueInfo>,
  weights: (name: string) => Tensor,
): OnnxModel<OpenValueInfo> {
  const initializers = model.initializers.map((one) =>
    'external' in one.data ? { ...one, data: { bytes: bytesOf(weights(one.name).data) } } : one,
  );
  return { ...model, initializers };
}
