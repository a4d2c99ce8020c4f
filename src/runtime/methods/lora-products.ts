/** The algebra of adapters as nodes: B A x, W + ΔW, and the lengths that DoRA divides by. */
import {
  add,
  concat,
  div,
  gatherRows,
  matmul,
  maximum,
  mul,
  neg,
  pad,
  parameter,
  reshape,
  sliceAxis,
  sqrt,
  stopGradient,
  sum,
  transpose,
} from '../programs/builder.ts';
import type { Node } from '../programs/program.ts';
import type { Adapter, AdapterPart, Pair } from './lora-adapters.ts';

/** A (R, in) and B (out, R), all parts of a weight in one, with ΔW = scale · B A. */
export interface JoinedPair {
  readonly a: Node;
  readonly b: Node;
  readonly scale: number;
}

/** A stacked, B block by block in its columns; where scales differ, B is in the first part's. */
function joined(adapter: Adapter, pairOf: (part: AdapterPart) => Pair): JoinedPair {
  const { parts, inputs, outputs } = adapter;
  const { scale } = parts[0]!;
  const a = parts.map((part) => parameter(pairOf(part).a, [part.rank, inputs]));
  const b = parts.map((part) => {
    const [start, end] = part.columns;
    const block = parameter(pairOf(part).b, [end - start, part.rank]);
    const scaled = part.scale === scale ? block : mul(block, part.scale / scale);
    return start === 0 && end === outputs ? scaled : pad(scaled, [start, 0], [outputs - end, 0]);
  });
  return parts.length === 1 ? { a: a[0]!, b: b[0]!, scale } : { a: concat(a, 0), b: concat(b, 1), scale };
}

export const trainedPair = (adapter: Adapter): JoinedPair => joined(adapter, (part) => part);

/** PiSSA's frozen start values; undefined for an adapter that starts from zero. */
export const startPair = (adapter: Adapter): JoinedPair | undefined =>
  adapter.parts[0]!.start === undefined ? undefined : joined(adapter, (part) => part.start!);

/** (…, in) → (…, R): x Aᵀ */
export const lowered = (x: Node, { a }: Pick<JoinedPair, 'a'>): Node => matmul(x, a, { transposeB: true });

/** The same for several pairs, side by side. */
export const loweredTogether = (x: Node, pairs: readonly JoinedPair[]): Node =>
  lowered(x, {
    a: concat(
      pairs.map(({ a }) => a),
      0,
    ),
  });

/** (…, R) → (…, out): scale · y Bᵀ */
export const raised = (y: Node, { b, scale }: JoinedPair): Node => matmul(y, b, { transposeB: true, scale });

/** (…, in) → (…, out): scale · x Aᵀ Bᵀ */
export const lowRank = (x: Node, pair: JoinedPair): Node => raised(lowered(x, pair), pair);

/** The same for inputs that are one-hot: ids i32 (…) → (…, out). */
export const lowRankRows = (ids: Node, { a, b, scale }: JoinedPair): Node =>
  matmul(gatherRows(transpose(a, [1, 0]), ids), b, { transposeB: true, scale });

/** ΔW as one pair: trained less start, ranks side by side. */
function difference(adapter: Adapter): JoinedPair {
  const trained = trainedPair(adapter);
  const start = startPair(adapter);
  if (start === undefined) return trained;
  const { scale } = trained;
  return { a: concat([trained.a, start.a], 0), b: concat([trained.b, neg(start.b)], 1), scale };
}

/** W + ΔW, each output times DoRA's factor; in the layout of W. */
export function adaptedWeight(weight: Node, adapter: Adapter): Node {
  const { a, b, scale } = difference(adapter);
  const rowsOut = adapter.layout === 'out,in';
  const delta = rowsOut
    ? matmul(b, a, { scale })
    : matmul(a, b, { transposeA: true, transposeB: true, scale });
  const changed = add(weight, delta);
  const factor = lengthening(weight, adapter);
  if (factor === undefined) return changed;
  return mul(changed, rowsOut ? reshape(factor, [adapter.outputs, 1]) : factor);
}

/**
 * DoRA's m / ‖W + ΔW‖ (out), 1 for outputs that are not adapted; undefined without DoRA. The lengths take no gradient.
 * ‖W + s B A‖² is expanded, so that the sum is never built: ‖W‖² + 2 s B · (W Aᵀ) + s² B · (B A Aᵀ), row by row.
 * @see https://arxiv.org/abs/2402.09353 sections 4.1 and 4.3
 */
export function lengthening(weight: Node, adapter: Adapter): Node | undefined {
  if (adapter.parts[0]!.magnitude === undefined) return undefined;
  const lengths = stopGradient(rowLengths(weight, adapter));
  const pieces: Node[] = [];
  let done = 0;
  for (const { magnitude, columns } of adapter.parts) {
    const [start, end] = columns;
    if (start > done) pieces.push(sliceAxis(lengths, 0, done, start));
    pieces.push(parameter(magnitude!, [end - start]));
    done = end;
  }
  if (done < adapter.outputs) pieces.push(sliceAxis(lengths, 0, done, adapter.outputs));
  return div(pieces.length === 1 ? pieces[0]! : concat(pieces, 0), lengths);
}

/** The smallest normal number: a row of zeros has a length, and stays a row of zeros. */
const SMALLEST_SQUARE = 2 ** -126;

function rowLengths(weight: Node, adapter: Adapter): Node {
  const { a, b, scale } = difference(adapter);
  const rowsOut = adapter.layout === 'out,in';
  const own = sum(mul(weight, weight), [rowsOut ? 1 : 0]);
  const across = rowsOut
    ? matmul(weight, a, { transposeB: true, scale: 2 * scale })
    : matmul(weight, a, { transposeA: true, transposeB: true, scale: 2 * scale });
  const within = matmul(b, matmul(a, a, { transposeB: true, scale: scale * scale }));
  const squares = add(own, sum(mul(b, add(across, within)), [1]));
  return sqrt(maximum(squares, SMALLEST_SQUARE));
}
