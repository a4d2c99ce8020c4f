/** Brings adapters into a program: every product with an adapted weight gets the low-rank product beside it. */
import { add, concat, input, makeNode, matmul, mul, pad, parameter } from '../programs/builder.ts';
import type { Node, Program } from '../programs/program.ts';
import { topological } from '../programs/program.ts';
import type { Adapter } from './lora-adapters.ts';

/** Name of the input that carries the dropout mask of an adapted layer's input. */
export const maskName = (adapter: Adapter): string => `dropout.${adapter.module}`;

export interface AdapterScale {
  /** α / r, or α / √r. */
  readonly scale: number;
  /** Whether the input of A is multiplied with a mask that is fed. */
  readonly dropout: boolean;
}

/** x W becomes x W + scale · (mask ⊙ x) Aᵀ Bᵀ wherever W is adapted; shared nodes stay shared. */
export function addAdapters(program: Program, adapters: readonly Adapter[], options: AdapterScale): Program {
  const byWeight = new Map(adapters.map((adapter) => [adapter.weight, adapter]));
  const rewritten = new Map<Node, Node>();
  for (const node of topological(program.outputs.values())) {
    const inputs = node.inputs.map((x) => rewritten.get(x)!);
    const same = inputs.every((x, i) => x === node.inputs[i]);
    const copy = same ? node : makeNode(node.op, inputs, node.attributes as never);
    const adapter = adapterOf(node, byWeight);
    rewritten.set(node, adapter ? add(copy, lowRank(inputs[0]!, adapter, options)) : copy);
  }
  const outputs = new Map([...program.outputs].map(([name, node]) => [name, rewritten.get(node)!]));
  return { name: program.name, outputs };
}

function adapterOf(node: Node, byWeight: ReadonlyMap<string, Adapter>): Adapter | undefined {
  if (node.op !== 'matmul') return undefined;
  const weight = node.inputs[1]!;
  if (weight.op !== 'parameter') return undefined;
  const adapter = byWeight.get(weight.attributes.name);
  const { transposeA, transposeB } = node.attributes;
  const forward = adapter && !transposeA && transposeB === (adapter.layout === 'out,in');
  return forward ? adapter : undefined;
}

/** x: (…, in) → (…, out) */
function lowRank(x: Node, adapter: Adapter, { scale, dropout }: AdapterScale): Node {
  const dropped = dropout ? mul(x, input(maskName(adapter), 'f32', x.shape)) : x;
  const { a, b } = joined(adapter);
  return matmul(matmul(dropped, a, { transposeB: true }), b, { transposeB: true, scale });
}

/** The parts of a fused weight as one pair: A stacked (parts · r, in), B block by block in its columns (out, parts · r). */
function joined({ parts, rank, inputs, outputs }: Adapter): { a: Node; b: Node } {
  const a = parts.map((part) => parameter(part.a, [rank, inputs]));
  const b = parts.map(({ b: name, columns: [start, end] }) => {
    const block = parameter(name, [end - start, rank]);
    return start === 0 && end === outputs ? block : pad(block, [start, 0], [outputs - end, 0]);
  });
  return parts.length === 1 ? { a: a[0]!, b: b[0]! } : { a: concat(a, 0), b: concat(b, 1) };
}
