/** The product in ONNX: Gemm, MatMul or FusedMatMul, whichever takes the transposes without a copy. */
import { type Node, sizeOf } from '../../programs/program.ts';
import type { OnnxGraph, QuantizedValue, Target } from './graph.ts';
import { isRounded, roundedProduct } from './rounded-product.ts';
import type { OnnxRule } from './rules.ts';

export const matmul: OnnxRule<'matmul'> = (node, [a, b], graph) => {
  const { transposeA, transposeB, scale } = node.attributes;
  const [left, right] = node.inputs.map((x) => x.shape) as [readonly number[], readonly number[]];
  const attributes = { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: scale } };
  // A matrix on the right and no transpose on the left: all leading axes are rows of one product.
  const flat = right.length === 2 && (left.length === 2 || !transposeA);
  const codes = graph.quantized.get(b!);
  if (codes !== undefined)
    return codes.format in FOUR_BIT ? fourBitProduct(a!, codes, graph) : roundedProduct(a!, codes, graph);
  if (flat) {
    const rows =
      left.length === 2
        ? a!
        : graph.node('Reshape', [a!, graph.integers([sizeOf(left.slice(0, -1)), left.at(-1)!])]);
    const product = graph.node('Gemm', [rows, b!], { attributes });
    return left.length === 2 ? product : graph.node('Reshape', [product, graph.integers(node.shape)]);
  }
  if (!transposeA && !transposeB && scale === 1) return graph.node('MatMul', [a!, b!]);
  return graph.node('FusedMatMul', [a!, b!], { attributes, domain: 'com.microsoft' });
};

/** onnxruntime's own numbers of the four-bit formats it multiplies with. */
const FOUR_BIT = { fp4: 0, nf4: 1 } as const;
const BLOCKS = [16, 32, 64, 128, 256];

/**
 * Whether a product can take its right operand in codes: `MatMulBnb4` reads rows (out, in) and is silently wrong without
 * the transpose (onnxruntime 1.30).
 */
export function takesCodes(node: Node<'matmul'>, value: QuantizedValue, target: Target): boolean {
  const { transposeA, transposeB, scale } = node.attributes;
  const { format, block } = value;
  if (transposeA || !transposeB || scale !== 1 || !BLOCKS.includes(block)) return false;
  return format in FOUR_BIT || isRounded(value, target);
}

/** x (…, in) times codes of W (out, in), transposed. */
function fourBitProduct(x: string, codes: QuantizedValue, graph: OnnxGraph): string {
  const [N, K] = codes.shape as [number, number];
  const quantType = FOUR_BIT[codes.format as keyof typeof FOUR_BIT];
  return graph.node('MatMulBnb4', [x, codes.codes, codes.absmax], {
    domain: 'com.microsoft',
    attributes: { K, N, block_size: codes.block, quant_type: quantType },
  });
}
