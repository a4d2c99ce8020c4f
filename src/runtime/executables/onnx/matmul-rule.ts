/** The product in ONNX: Gemm, MatMul or FusedMatMul, whichever takes the transposes without a copy. */
import { sizeOf } from '../../programs/program.ts';
import type { OnnxRule } from './rules.ts';

export const matmul: OnnxRule<'matmul'> = (node, [a, b], graph) => {
  const { transposeA, transposeB, scale } = node.attributes;
  const [left, right] = node.inputs.map((x) => x.shape) as [readonly number[], readonly number[]];
  const attributes = { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: scale } };
  // A matrix on the right and no transpose on the left: all leading axes are rows of one product.
  const flat = right.length === 2 && (left.length === 2 || !transposeA);
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
