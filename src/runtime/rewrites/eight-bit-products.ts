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
  sliceAxis,
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
function partsOf(node: Node<'matmul'>): number {
  const [x, weight] = node.inputs as readonly [Node, Node];
  const [k, n] = [x.shape.at(-1)!, node.shape.at(-1)!];
  // Already a part.
  if (x.op === 'softmax' && weight.op === 'slice') return 1;
  if (x.op !== 'softmax' && k < TALL * n) return 1;
  const { wanted, least, most } = PARTS;
  const found = Array.from({ length: most - least + 1 }, (_, i) => least + i).filter((p) => k % p === 0);
  return (
    found.toSorted((a, b) => Math.abs(Math.log(a / wanted)) - Math.abs(Math.log(b / wanted)))[0] ??
    Number(k < LONG_ROW)
  );
}

/** Rows [start, end) of a frozen weight, all of them or those that a slice leaves. */
interface WeightRows {
  readonly parameter: Node<'parameter'>;
  readonly rows: readonly [start: number, end: number];
}

function weightRows(node: Node): WeightRows | undefined {
  if (node.op === 'parameter') return { parameter: node, rows: [0, node.shape[0] ?? 1] };
  if (node.op !== 'slice' || node.inputs[0]!.op !== 'parameter') return undefined;
  const [parameter] = node.inputs as readonly [Node<'parameter'>];
  const { starts, ends } = node.attributes;
  const onlyRows = parameter.shape.every((n, i) => i === 0 || (starts[i] === 0 && ends[i] === n));
  return onlyRows ? { parameter, rows: [starts[0]!, ends[0]!] } : undefined;
}

const isWhole = ({ parameter, rows: [start, end] }: WeightRows) => start === 0 && end === parameter.shape[0];

/** The product that a node is, if it can be taken in eight bits. */
export function frozenProduct(node: Node, frozen: (weight: string) => boolean): FrozenProduct | undefined {
  if (node.op !== 'matmul' || node.attributes.transposeA) return undefined;
  const [x, right] = node.inputs as readonly [Node, Node];
  const weight = weightRows(right);
  if (weight === undefined || right.dtype !== 'f32' || right.shape.length !== 2) return undefined;
  if (Math.min(...right.shape) < SMALLEST_SIDE) return undefined;
  const { name } = weight.parameter.attributes;
  const parts = partsOf(node as Node<'matmul'>);
  if (parts === 0 || x.shape.at(-1)! / parts > LONGEST_SUM || !frozen(name)) return undefined;
  return { weight: name, transposed: node.attributes.transposeB };
}

/** Codes (k, n) and scales (n) of a product with these rows of a weight. */
function codedWeight(product: FrozenProduct, { parameter: weight, rows }: WeightRows): [Node, Node] {
  const [height, width] = weight.shape as readonly [number, number];
  const [k, n] = product.transposed ? [width, height] : [height, width];
  const names = eightBitNames(product);
  const [codes, scale] = [parameter(names.codes, [k, n], 'i8'), parameter(names.scale, [n])];
  if (isWhole({ parameter: weight, rows })) return [codes, scale];
  return product.transposed
    ? [sliceAxis(codes, 1, ...rows), sliceAxis(scale, 0, ...rows)]
    : [sliceAxis(codes, 0, ...rows), scale];
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
  const largest = largestOf(x, partsOf(node), signed);
  const rows = [quantizeRows(x, largest, signed), scale === 1 ? largest : mul(largest, scale)] as const;
  return matmulCodes([...rows, ...codedWeight(product, weightRows(w)!)], signed);
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
  const weight = weightRows(table);
  const products = productsIn(mixture!);
  const sameTable = (one: Node) => weightRows(one.inputs[1]!)?.parameter === weight?.parameter;
  if (weight === undefined || !isWhole(weight) || !products.every(sameTable)) return node;
  const product = products[0] && chosen(products[0]);
  if (product === undefined || product.transposed) return node;
  const [codes, scale] = codedWeight(product, weight);
  return sub(mul(cast(gatherRows(codes, labels), 'f32'), scale), node.inputs[1]!);
}

/** The products that a sum is of, each times a share, or that are joined row by row. */
function productsIn(node: Node): Node[] {
  if (node.op === 'matmul') return [node];
  if (node.op === 'concat' || node.op === 'add') return node.inputs.flatMap(productsIn);
  return node.op === 'mul' ? productsIn(node.inputs[0]!) : [];
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
