/**
 * Products with frozen weights in eight bits: each row of the left operand and each column of the weight becomes whole
 * numbers with a scale of its own, the product is taken in whole numbers and rescaled.
 * @see https://arxiv.org/abs/2208.07339 section 2.1, vector-wise quantization
 */
import {
  absmax,
  cast,
  gatherRows,
  matmulCodes,
  max,
  mul,
  parameter,
  quantizeRows,
  reshape,
  sub,
} from '../programs/builder.ts';
import { mapProgram } from '../programs/map-program.ts';
import { type Node, nodesOf, type Program } from '../programs/program.ts';
import { eightBitNames, type FrozenProduct } from '../quantization/eight-bit-weights.ts';
import type { Rewrite } from './rewrite.ts';

/** A matrix with fewer rows or columns costs next to nothing. */
const SMALLEST_SIDE = 16;
/** More numbers could overflow a sum of 32 bits. */
const LONGEST_SUM = Math.floor(2 ** 31 / (255 * 127));
/** A matrix with so many times as many rows as columns is the head, whose rows are the vocabulary. */
const TALL = 8;
/** Parts of a row over the vocabulary; the nearest number that divides it, within these bounds. */
const PARTS = { wanted: 16, least: 4, most: 64 };
/** Rows of fewer numbers may stay in one part. */
const LONG_ROW = 256;

/**
 * A row over the vocabulary has a few large numbers, and thousands of small ones that together matter as much: were they
 * all lost beside the largest one, training would be biased. So it is cut into parts with scales of their own; 0 where no
 * number of parts fits.
 */
function partsOf(x: Node, k: number, n: number): number {
  if (x.op !== 'softmax' && k < TALL * n) return 1;
  const { wanted, least, most } = PARTS;
  const found = Array.from({ length: most - least + 1 }, (_, i) => least + i).filter((p) => k % p === 0);
  return (
    found.toSorted((a, b) => Math.abs(Math.log(a / wanted)) - Math.abs(Math.log(b / wanted)))[0] ??
    Number(k < LONG_ROW)
  );
}

/** The product that a node is, if it can be taken in eight bits. */
export function frozenProduct(node: Node, frozen: (weight: string) => boolean): FrozenProduct | undefined {
  if (node.op !== 'matmul' || node.attributes.transposeA) return undefined;
  const [x, weight] = node.inputs as readonly [Node, Node];
  if (weight.op !== 'parameter' || weight.dtype !== 'f32' || weight.shape.length !== 2) return undefined;
  if (Math.min(...weight.shape) < SMALLEST_SIDE) return undefined;
  const [k, n] = [x.shape.at(-1)!, node.shape.at(-1)!];
  const parts = partsOf(x, k, n);
  if (parts === 0 || k / parts > LONGEST_SUM || !frozen(weight.attributes.name)) return undefined;
  return { weight: weight.attributes.name, transposed: node.attributes.transposeB };
}

/** The parameters of a product with a weight of this shape: codes (k, n) and scales (n). */
function codedWeight(product: FrozenProduct, [rows, columns]: readonly number[]): [Node, Node] {
  const [k, n] = product.transposed ? [columns!, rows!] : [rows!, columns!];
  const { codes, scale } = eightBitNames(product);
  return [parameter(codes, [k, n], 'i8'), parameter(scale, [n])];
}

/** Largest absolute value of every part (…, B). */
function largestOf(x: Node, parts: number, signed: boolean): Node {
  const lead = x.shape.slice(0, -1);
  const cut = parts === 1 ? x : reshape(x, [...lead, parts, x.shape.at(-1)! / parts]);
  const largest = signed ? absmax(cut) : max(cut, [-1], true);
  return parts === 1 ? largest : reshape(largest, [...lead, parts]);
}

/** x W or x Wᵀ in eight bits. Probabilities have no sign, so their codes need none. */
export function inEightBits(node: Node<'matmul'>, product: FrozenProduct): Node {
  const [x, w] = node.inputs as readonly [Node, Node];
  const { scale } = node.attributes;
  const signed = x.op !== 'softmax';
  const largest = largestOf(x, partsOf(x, x.shape.at(-1)!, node.shape.at(-1)!), signed);
  const rows = [quantizeRows(x, largest, signed), scale === 1 ? largest : mul(largest, scale)] as const;
  return matmulCodes([...rows, ...codedWeight(product, w.shape)], signed);
}

/**
 * W_y − P W, the gradient that cross-entropy has for hidden states: where P W is in codes, W_y is read from the same codes,
 * so that what they are off by cancels as P comes to be certain of y.
 */
function withLabelsInCodes(
  node: Node,
  original: Node,
  chosen: (node: Node) => FrozenProduct | undefined,
): Node {
  const [rows, mixture] = original.inputs;
  if (original.op !== 'sub' || rows!.op !== 'gatherRows') return node;
  const [table, labels] = rows!.inputs as readonly [Node, Node];
  const parts = mixture!.op === 'concat' ? mixture!.inputs : [mixture!];
  const sameTable = (part: Node) => part.op === 'matmul' && part.inputs[1] === table;
  const product = parts.every(sameTable) ? chosen(parts[0]!) : undefined;
  if (product === undefined || product.transposed) return node;
  const [codes, scale] = codedWeight(product, table.shape);
  return sub(mul(cast(gatherRows(codes, labels), 'f32'), scale), node.inputs[1]!);
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
      mapProgram(program, (node, original) => {
        const product = chosen(node);
        return product
          ? inEightBits(node as Node<'matmul'>, product)
          : withLabelsInCodes(node, original, chosen);
      }),
    verify: (program) =>
      nodesOf(program).flatMap((node) => {
        const product = chosen(node);
        return product ? [`a product with "${product.weight}" is not`] : [];
      }),
  };
}
