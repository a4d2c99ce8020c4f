/** What can be computed now is computed now. */
import { constant } from '../programs/builder.ts';
import { evaluateNode } from '../programs/kernels/kernels.ts';
import { mapProgram } from '../programs/map-program.ts';
import type { Tensor } from '../programs/ops.ts';
import { type Node, sizeOf } from '../programs/program.ts';
import type { Rewrite } from './rewrite.ts';

/** Larger values are cheaper to compute at run time than to carry along. */
const largestFolded = 4096;

const isConstant = (node: Node): node is Node<'constant'> => node.op === 'constant';

function fold(node: Node): Node {
  if (node.inputs.length === 0 || sizeOf(node.shape) > largestFolded) return node;
  if (!node.inputs.every(isConstant)) return node;
  const values = node.inputs.map((input) => input.attributes.value);
  return constant(evaluateNode(node, values) as Tensor);
}

export const foldConstants: Rewrite = {
  name: 'foldConstants',
  ensures: `no operation on constants alone makes ${largestFolded} elements or fewer`,
  run: (program) => mapProgram(program, fold),
};
