/**
 * Products with frozen weights in eight bits: each row of the left operand and each column of the weight becomes whole
 * numbers with a scale of its own, the product is taken in whole numbers and rescaled.
 * @see https://arxiv.org/abs/2208.07339 section 2.1, vector-wise quantization
 */
import { absmax, matmulCodes, max, mul, parameter, quantizeRows } from '../programs/builder.ts';
import { mapProgram } from '../programs/map-program.ts';
import { type Node, nodesOf, type Program } from '../programs/program.ts';
import { eightBitParts } from '../quantization/eight-bit-weights.ts';
import type { Rewrite } from './rewrite.ts';

/** One weight in one direction: the same weight may bear eight bits in the forward product and not in the backward one. */
export interface FrozenProduct {
  readonly weight: string;
  /** Whether Wᵀ is multiplied. */
  readonly transposed: boolean;
}

/** A matrix with fewer rows or columns costs next to nothing. */
const SMALLEST_SIDE = 16;
/** More rows could overflow sums of 32 bits. */
const LONGEST_SUM = Math.floor(2 ** 31 / (255 * 127));

/** The product that a node is, if it can be taken in eight bits. */
export function frozenProduct(node: Node, frozen: (weight: string) => boolean): FrozenProduct | undefined {
  if (node.op !== 'matmul' || node.attributes.transposeA) return undefined;
  const weight = node.inputs[1]!;
  if (weight.op !== 'parameter' || weight.dtype !== 'f32' || weight.shape.length !== 2) return undefined;
  if (Math.min(...weight.shape) < SMALLEST_SIDE || node.inputs[0]!.shape.at(-1)! > LONGEST_SUM)
    return undefined;
  if (!frozen(weight.attributes.name)) return undefined;
  return { weight: weight.attributes.name, transposed: node.attributes.transposeB };
}

/** x W or x Wᵀ in eight bits. Probabilities have no sign, so their codes need none. */
export function inEightBits(node: Node<'matmul'>, { weight, transposed }: FrozenProduct): Node {
  const [x, w] = node.inputs as readonly [Node, Node];
  const { scale } = node.attributes;
  const [rows, columns] = w.shape as [number, number];
  const [k, n] = transposed ? [columns, rows] : [rows, columns];
  const signed = x.op !== 'softmax';
  const largest = signed ? absmax(x) : max(x, [-1], true);
  const parts = eightBitParts(weight, transposed);
  return matmulCodes(
    [
      quantizeRows(x, largest, signed),
      scale === 1 ? largest : mul(largest, scale),
      parameter(parts.codes, [k, n], 'i8'),
      parameter(parts.scale, [n]),
    ],
    signed,
  );
}

/** Every product with a weight for which `frozen` holds, but those for which `kept` does. Runs after `differentiate`. */
export function eightBitProducts(
  frozen: (weight: string) => boolean,
  kept: (product: FrozenProduct) => boolean = () => false,
): Rewrite {
  const chosen = (node: Node): FrozenProduct | undefined => {
    const product = frozenProduct(node, frozen);
    return product && !kept(product) ? product : undefined;
  };
  return {
    name: 'eightBitProducts',
    ensures: 'products with frozen weights are taken in eight bits, but for those that would lose too much',
    run: (program: Program) =>
      mapProgram(program, (node) => {
        const product = chosen(node);
        return product ? inEightBits(node as Node<'matmul'>, product) : node;
      }),
    verify: (program) =>
      nodesOf(program).flatMap((node) => {
        const product = chosen(node);
        return product ? [`a product with "${product.weight}" is not`] : [];
      }),
  };
}
