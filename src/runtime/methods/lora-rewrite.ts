/** Brings adapters into a program: every use of an adapted weight becomes a use of the weight with its adapter. */
import { add, gatherRows, input, mul, sliceAxis, sub } from '../programs/builder.ts';
import { mapProgram, withInputs } from '../programs/map-program.ts';
import { type Node, nodesOf, type Program } from '../programs/program.ts';
import type { Adapter } from './lora-adapters.ts';
import {
  adaptedWeight,
  lengthening,
  lowered,
  loweredTogether,
  lowRank,
  lowRankRows,
  raised,
  startPair,
  trainedPair,
} from './lora-products.ts';

/** Name of the input that carries the dropout mask of an adapted layer's input. */
export const maskName = (adapter: Adapter): string => `dropout.${adapter.module}`;

/** Whether dropout reaches it: PEFT drops nothing of a token, and a whole weight has no input. */
export const hasMask = (adapter: Adapter): boolean => adapter.use === 'product';

/**
 * With ΔW = scale · B A (PiSSA: less the start values' product):
 * - x W becomes x W + x ΔW, the input of A times a mask that is fed where there is dropout;
 * - a row of the token embedding gets its row of ΔW;
 * - the output layer and a tied embedding become the one weight W + ΔW, computed once a run.
 * DoRA multiplies each output with m / ‖W + ΔW‖; dropped inputs count for what it adds alone, as in PEFT.
 */
export function addAdapters(
  program: Program,
  adapters: readonly Adapter[],
  { dropout }: { readonly dropout: boolean },
): Program {
  const byWeight = new Map(adapters.map((adapter) => [adapter.weight, adapter]));
  const byInput = dropout ? new Map<Node, Adapter[]>() : adaptersByInput(program, byWeight);
  const inRanks = new Map<Node, Node>();
  /** x Aᵀ of one that reads x, a part of that of all: x is read once, forward and backward. (…, in) → (…, R) */
  const inRank = (x: Node, adapter: Adapter, neighbours: readonly Adapter[]): Node => {
    if (neighbours.length === 1) return lowered(x, trainedPair(adapter));
    const pairs = neighbours.map(trainedPair);
    const all = inRanks.get(x) ?? loweredTogether(x, pairs);
    inRanks.set(x, all);
    const at = neighbours.indexOf(adapter);
    const ranks = pairs.map(({ a }) => a.shape[0]!);
    const start = ranks.slice(0, at).reduce((sum, rank) => sum + rank, 0);
    return sliceAxis(all, -1, start, start + ranks[at]!);
  };
  return mapProgram(program, (node, original) => {
    const adapter = adapterOf(original, byWeight);
    if (adapter === undefined) return node;
    if (adapter.use === 'whole') return adaptedWeight(node, adapter);
    if (adapter.use === 'lookup') return lookup(node, adapter);
    const neighbours = byInput.get(original.inputs[0]!) ?? [adapter];
    return product(node, adapter, dropout, (x) => inRank(x, adapter, neighbours));
  });
}

/** Adapters of layers that read the same input. */
function adaptersByInput(program: Program, byWeight: ReadonlyMap<string, Adapter>): Map<Node, Adapter[]> {
  const found = new Map<Node, Adapter[]>();
  for (const node of nodesOf(program)) {
    const adapter = adapterOf(node, byWeight);
    if (adapter?.use !== 'product') continue;
    const x = node.inputs[0]!;
    const known = found.get(x) ?? [];
    if (!known.includes(adapter)) found.set(x, [...known, adapter]);
  }
  return found;
}

function adapterOf(node: Node, byWeight: ReadonlyMap<string, Adapter>): Adapter | undefined {
  const weight = node.op === 'matmul' ? node.inputs[1]! : node.op === 'gatherRows' ? node.inputs[0]! : node;
  if (weight.op !== 'parameter') return undefined;
  const adapter = byWeight.get(weight.attributes.name);
  if (adapter === undefined) return undefined;
  if (node.op === 'parameter') return adapter.use === 'whole' ? adapter : undefined;
  if (node.op === 'gatherRows') return adapter.use === 'lookup' ? adapter : undefined;
  if (node.op !== 'matmul' || adapter.use !== 'product') return undefined;
  const { transposeA, transposeB } = node.attributes;
  return !transposeA && transposeB === (adapter.layout === 'out,in') ? adapter : undefined;
}

/** node: x W. x: (…, in) → (…, out) */
function product(node: Node, adapter: Adapter, dropout: boolean, inRank: (x: Node) => Node): Node {
  const [x, weight] = node.inputs as readonly [Node, Node];
  const trained = trainedPair(adapter);
  const start = startPair(adapter);
  const frozen = (rows: Node): Node => {
    const base = withInputs(node, [rows, weight]);
    return start === undefined ? base : sub(base, lowRank(rows, start));
  };
  const dropped = dropout ? mul(x, input(maskName(adapter), 'f32', x.shape)) : x;
  const added = raised(inRank(dropped), trained);
  const factor = lengthening(weight, adapter);
  if (factor === undefined) return add(frozen(x), added);
  if (!dropout) return mul(factor, add(frozen(x), added));
  return add(frozen(x), add(mul(sub(factor, 1), frozen(dropped)), mul(factor, added)));
}

/** node: rows of the token embedding. ids: (…) → (…, out) */
function lookup(node: Node, adapter: Adapter): Node {
  const [table, ids] = node.inputs as readonly [Node, Node];
  const row = add(gatherRows(table, ids), lowRankRows(ids, trainedPair(adapter)));
  const factor = lengthening(table, adapter);
  return factor === undefined ? row : mul(factor, row);
}
