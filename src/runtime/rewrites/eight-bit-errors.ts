/** What products lose in eight bits: a program that measures it on what is fed. */
import { add, concat, mul, reshape, sub, sum } from '../programs/builder.ts';
import { type Node, nodesOf, type Program } from '../programs/program.ts';
import { eightBitNames, type FrozenProduct } from '../quantization/eight-bit-weights.ts';
import { frozenProduct, inEightBits } from './eight-bit-products.ts';

/**
 * The program with one output for each product of `measured`, named as its codes, and no other: (Σ (y − y₈)², Σ y²) over
 * everything that is multiplied with the weight in that direction, all before it in f32.
 */
export function eightBitErrors(
  program: Program,
  frozen: (weight: string) => boolean,
  measured: (product: FrozenProduct) => boolean,
): Program {
  const outputs = new Map<string, Node>();
  for (const node of nodesOf(program)) {
    const product = frozenProduct(node, frozen);
    if (product === undefined || !measured(product)) continue;
    const { codes } = eightBitNames(product);
    const error = squares(sub(node, inEightBits(node as Node<'matmul'>, product)));
    const both = concat([error, squares(node)], 0);
    const before = outputs.get(codes);
    outputs.set(codes, before === undefined ? both : add(before, both));
  }
  return { name: program.name, outputs };
}

const squares = (x: Node): Node => reshape(sum(mul(x, x)), [1]);

/** ‖y − y₈‖ / ‖y‖ from such an output; 0 where everything is zero, and the largest number where a sum is none. */
export function relativeError(output: ArrayLike<number>): number {
  const error = output[1] === 0 ? 0 : Math.sqrt(output[0]! / output[1]!);
  // A checkpoint keeps it as JSON, which has no NaN and no infinity.
  return Number.isFinite(error) ? error : Number.MAX_VALUE;
}
