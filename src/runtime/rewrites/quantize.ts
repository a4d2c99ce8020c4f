/** Frozen weights that stay quantized: a program reads their codes instead of them. */
import { add, dequantize, matmul, parameter } from '../programs/builder.ts';
import { mapProgram } from '../programs/map-program.ts';
import type { Shape } from '../programs/ops.ts';
import { type Node, type Program, sizeOf } from '../programs/program.ts';
import { besideNames, partsOf } from '../quantization/quantized-parameters.ts';
import {
  codeBytes,
  DEFAULT_BLOCK,
  type KeptWeight,
  type LowRankShape,
  NESTED_BLOCK,
  type QuantizationOptions,
} from '../quantization/quantized-tensor.ts';

/**
 * W becomes `dequantize` of its codes wherever it is read, in the forward and in the backward direction, plus the frozen
 * adapters beside them: a product takes these as x Aᵀ Bᵀ. Weights that `formats` does not name stay as they are; a program
 * that reads none of them comes back unchanged.
 * @see https://arxiv.org/abs/2305.14314 section 3
 */
export function quantize(program: Program, formats: ReadonlyMap<string, KeptWeight>): Program {
  const made = new Map<string, Quantized>();
  return mapProgram(program, (node, original) => {
    const [, right] = original.inputs;
    if (node.op === 'matmul' && right?.op === 'parameter') {
      const weight = made.get((right as Node<'parameter'>).attributes.name);
      return weight === undefined ? node : product(node, weight);
    }
    if (node.op !== 'parameter') return node;
    const { name } = node.attributes;
    const kept = formats.get(name);
    if (kept === undefined) return node;
    const value = made.get(name) ?? quantized(name, node.shape, kept);
    made.set(name, value);
    return value.whole;
  });
}

interface Quantized {
  readonly fromCodes: Node;
  readonly adapters: readonly { readonly down: Node; readonly up: Node; readonly shape: LowRankShape }[];
  /** With the adapters added. */
  readonly whole: Node;
}

function quantized(name: string, shape: Shape, kept: KeptWeight): Quantized {
  const fromCodes = quantizedWeight(name, shape, kept);
  const adapters = (kept.beside ?? []).map((one, i) => {
    const [outputs, inputs] = (one.turned ? shape.toReversed() : shape) as [number, number];
    const names = besideNames(name, i);
    const down = parameter(names.down, [one.rank, inputs]);
    return { down, up: parameter(names.up, [outputs, one.rank]), shape: one };
  });
  const whole = adapters.reduce(
    (sum, { down, up, shape: { scale, turned } }) =>
      add(
        sum,
        turned
          ? matmul(down, up, { transposeA: true, transposeB: true, scale })
          : matmul(up, down, { scale }),
      ),
    fromCodes,
  );
  return { fromCodes, adapters, whole };
}

/** x W with the adapters beside W's codes as products of their own. */
function product(node: Node<'matmul'>, { fromCodes, adapters }: Quantized): Node {
  const { transposeA, transposeB, scale } = node.attributes;
  if (adapters.length === 0 || transposeA || adapters.some(({ shape }) => shape.turned === transposeB))
    return node;
  const x = node.inputs[0]!;
  return adapters.reduce<Node>(
    (sum, { down, up, shape }) =>
      add(
        sum,
        matmul(matmul(x, down, { transposeB: true }), up, { transposeB: true, scale: scale * shape.scale }),
      ),
    matmul(x, fromCodes, { transposeB, scale }),
  );
}

function quantizedWeight(name: string, shape: Shape, options: QuantizationOptions): Node {
  const { format, block = DEFAULT_BLOCK, doubleQuantization = false } = options;
  const count = sizeOf(shape);
  const blocks = Math.ceil(count / block);
  const parts = partsOf(name);
  const codes = parameter(parts.codes, [codeBytes(format, count)], 'u8');
  const absmax = doubleQuantization ? nestedAbsmax(name, blocks) : parameter(parts.absmax, [blocks]);
  return dequantize(codes, absmax, { format, block, shape });
}

function nestedAbsmax(name: string, blocks: number): Node {
  const parts = partsOf(name);
  const centred = dequantize(
    parameter(parts.nestedCodes, [blocks], 'u8'),
    parameter(parts.nestedAbsmax, [Math.ceil(blocks / NESTED_BLOCK)]),
    { format: 'dynamic', block: NESTED_BLOCK, shape: [blocks] },
  );
  return add(centred, parameter(parts.offset, []));
}
