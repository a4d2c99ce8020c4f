/** Affine maps of rows. N rows, I inputs, O outputs. */
import { add, matmul } from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';

/** y = x Wᵀ + b, the layout of PyTorch's nn.Linear. x: (N, I), weight: (O, I), bias: (O) → (N, O) */
export function linear(x: Node, weight: Node, bias?: Node): Node {
  const y = matmul(x, weight, { transposeB: true });
  return bias === undefined ? y : add(y, bias);
}

/** y = x W + b, the layout of GPT-2's Conv1D. x: (N, I), weight: (I, O), bias: (O) → (N, O) */
export function conv1d(x: Node, weight: Node, bias: Node): Node {
  return add(matmul(x, weight), bias);
}
