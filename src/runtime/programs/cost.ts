/** What a program costs, from its shapes alone. */
import type { DType } from './ops.ts';
import type { Node, Program } from './program.ts';
import { nodesOf, sizeOf } from './program.ts';

const BYTES: { readonly [T in DType]: number } = { f32: 4, i32: 4, u8: 1, i8: 1, bool: 1 };
export const bytesOf = ({ dtype, shape }: Node) => sizeOf(shape) * BYTES[dtype];

/** Values that share their operand's memory in every executable. */
const isView = ({ op }: Node) => op === 'reshape' || op === 'stopGradient' || op === 'blockEdge';

/** Floating-point operations: two a multiplication-and-addition of the products, one an element of the rest. */
export function floatingPointOperations(program: Program): number {
  return nodesOf(program).reduce((total, node) => total + operationsOf(node), 0);
}

function operationsOf(node: Node): number {
  switch (node.op) {
    case 'input':
    case 'parameter':
    case 'constant':
    case 'reshape':
    case 'stopGradient':
    case 'blockEdge':
      return 0;
    case 'matmul': {
      const [a] = node.inputs;
      const inner = a!.shape[a!.shape.length - (node.attributes.transposeA ? 2 : 1)]!;
      return 2 * sizeOf(node.shape) * inner;
    }
    case 'matmulCodes':
      return 2 * sizeOf(node.shape) * node.inputs[0]!.shape.at(-1)!;
    default:
      return sizeOf(node.shape);
  }
}

/** How fast a device is, as far as an estimate needs it. */
export interface Speed {
  /** Of a large product of matrices. */
  readonly operationsPerSecond: number;
  readonly bytesPerSecond: number;
  /** Cost of starting one operation. */
  readonly secondsPerNode: number;
}

/** How many multiplications of codes take the time of one of f32; measured with AVX-512 VNNI and AMX. */
const EIGHT_BIT_SPEED = 5;

/** Seconds of one run: every operation is bound by arithmetic or by memory, and has a cost of its own. */
export function programSeconds(program: Program, speed: Speed): number {
  return nodesOf(program).reduce((total, node) => {
    if (node.op === 'input' || node.op === 'parameter' || node.op === 'constant' || isView(node))
      return total;
    const bytes = node.inputs.reduce((n, x) => n + bytesOf(x), bytesOf(node));
    const operations = operationsOf(node) / (node.op === 'matmulCodes' ? EIGHT_BIT_SPEED : 1);
    const busy = Math.max(operations / speed.operationsPerSecond, bytes / speed.bytesPerSecond);
    return total + busy + speed.secondsPerNode;
  }, 0);
}
