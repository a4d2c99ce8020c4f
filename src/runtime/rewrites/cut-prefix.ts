/**
 * Cuts a program in two at an edge between blocks: what lies below is the same for a sequence at every step where nothing
 * in it is trained, so it can be computed once and fed.
 */
import { blockEdge, input } from '../programs/builder.ts';
import { mapProgram } from '../programs/map-program.ts';
import { type Node, nodesOf, type Program } from '../programs/program.ts';

/** Input of the upper part: the value at the edge, f32 (B·T, D). */
export const PREFIX = 'prefix';

const isEdge = (node: Node): node is Node<'blockEdge'> =>
  node.op === 'blockEdge' && !node.attributes.gradient;

/**
 * The highest edge below which the program reads no trained tensor and no input but `ids`: edge n is the input of block n,
 * the last one the output of the last block. 0 where not even the first block is frozen, or the program marks no edges.
 */
export function frozenEdge(program: Program, isTrained: (name: string) => boolean): number {
  const changing = new Set<Node>();
  let highest = 0;
  for (const node of nodesOf(program)) {
    const changes =
      (node.op === 'parameter' && isTrained(node.attributes.name)) ||
      (node.op === 'input' && node.attributes.name !== 'ids') ||
      node.inputs.some((x) => changing.has(x));
    if (changes) changing.add(node);
    else if (isEdge(node)) highest = Math.max(highest, node.attributes.edge);
  }
  return highest;
}

function valueAt(program: Program, edge: number): Node<'blockEdge'> {
  const found = nodesOf(program).find((node) => isEdge(node) && node.attributes.edge === edge);
  if (found === undefined) throw new Error(`program ${program.name} has no block edge ${edge}`);
  return found as Node<'blockEdge'>;
}

/** The part below: output `prefix` is the value at the edge. Errors: Error where the program does not mark it. */
export const prefixOf = (program: Program, edge: number): Program => ({
  name: `${program.name}-prefix`,
  outputs: new Map([[PREFIX, valueAt(program, edge).inputs[0]!]]),
});

/** The part above: the same outputs, from the input `prefix`. Errors: as `prefixOf`. */
export function suffixOf(program: Program, edge: number): Program {
  const { shape } = valueAt(program, edge);
  const fed = blockEdge(input(PREFIX, 'f32', shape), edge);
  const cut = mapProgram(program, (node, original) =>
    isEdge(original) && original.attributes.edge === edge ? fed : node,
  );
  return { ...cut, name: `${program.name}-suffix` };
}
