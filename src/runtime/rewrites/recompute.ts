/**
 * Gradient checkpointing: what is computed inside a block is forgotten after the forward pass and computed again, from the
 * block's input, when the gradient arrives at the block's end. Of each block its input stays in memory instead of every
 * value that its gradient reads; the price is a second forward pass. The gradient of that input waits for those of the
 * block's weights: an engine that went on to the block below first would keep what they read, of all blocks at once.
 * @see https://arxiv.org/abs/1604.06174
 */
import { after, concat, reshape, slice } from '../programs/builder.ts';
import { withInputs } from '../programs/map-program.ts';
import { type Node, nodesOf, type Program } from '../programs/program.ts';
import type { Rewrite } from './rewrite.ts';

interface Block {
  /** Input and output of the block. */
  readonly start: Node;
  readonly end: Node;
  /** The gradient of the output. */
  readonly arriving: Node;
}

/** Blocks through which a gradient goes: of a frozen model only the last ones. */
function blocksOf(order: readonly Node[]): Block[] {
  const edges = new Map<number, Node>();
  const gradients = new Map<number, Node>();
  for (const node of order)
    if (node.op === 'blockEdge')
      (node.attributes.gradient ? gradients : edges).set(node.attributes.edge, node);
  return [...edges].flatMap(([edge, start]) => {
    const [end, arriving] = [edges.get(edge + 1), gradients.get(edge + 1)];
    return end && arriving ? [{ start, end, arriving }] : [];
  });
}

/** What depends on `from`, itself included. */
function dependents(order: readonly Node[], from: Node): Set<Node> {
  const found = new Set<Node>([from]);
  for (const node of order) if (node.inputs.some((x) => found.has(x))) found.add(node);
  return found;
}

interface Region extends Block {
  /** Depends on the block's input, and neither on its output nor on a gradient. */
  isInside(node: Node): boolean;
  isLate(node: Node): boolean;
}

function regionOf(order: readonly Node[], block: Block): Region {
  const [fromStart, fromEnd] = [dependents(order, block.start), dependents(order, block.end)];
  const late = dependents(order, block.arriving);
  return {
    ...block,
    isInside: (node) => fromStart.has(node) && !fromEnd.has(node) && !late.has(node),
    isLate: (node) => late.has(node),
  };
}

const isGradientAt = (node: Node, edge: Node): boolean =>
  node.op === 'blockEdge' &&
  node.attributes.gradient &&
  edge.op === 'blockEdge' &&
  node.attributes.edge === edge.attributes.edge;

/** (1) */
function firstNumber(node: Node): Node {
  const [start, end] = [0, 1].map((at) => node.shape.map(() => at));
  return reshape(slice(node, start!, end!), [1]);
}

/** An order in which what a node waits for comes before it. */
function inOrderOf(order: readonly Node[], waiting: ReadonlyMap<Node, ReadonlySet<Node>>): readonly Node[] {
  const done = new Set<Node>();
  const result: Node[] = [];
  const add = (node: Node): void => {
    if (done.has(node)) return;
    done.add(node);
    for (const x of node.inputs) add(x);
    for (const x of waiting.get(node) ?? []) add(x);
    result.push(node);
  };
  for (const node of order) add(node);
  return result;
}

function repeatBlocks(program: Program): Program {
  const order = nodesOf(program);
  const regions = blocksOf(order).map((block) => regionOf(order, block));
  const regionWith = new Map<Node, Region>();
  for (const region of regions)
    for (const node of order) if (region.isInside(node)) regionWith.set(node, region);
  const rebuilt = new Map<Node, Node>();
  const repeated = new Map<Node, Node>();

  /** A value computed again, from the block's input as it is once the gradient is there. */
  function repeat(node: Node, region: Region): Node {
    const known = repeated.get(node);
    if (known !== undefined) return known;
    const again =
      node === region.start
        ? after(rebuilt.get(node)!, rebuilt.get(region.arriving)!)
        : withInputs(
            node,
            node.inputs.map((x) => (region.isInside(x) ? repeat(x, region) : rebuilt.get(x)!)),
          );
    repeated.set(node, again);
    return again;
  }

  const results = [...program.outputs.values()];
  const waiting = new Map(
    regions.flatMap((region) => {
      const leaving = order.find((node) => isGradientAt(node, region.start));
      if (leaving === undefined) return [];
      const below = dependents(order, leaving);
      const own = results.filter((node) => region.isLate(node) && !below.has(node));
      return own.length === 0 ? [] : [[leaving, new Set(own)] as const];
    }),
  );
  for (const node of inOrderOf(order, waiting)) {
    const inputs = node.inputs.map((x) => {
      const region = regionWith.get(x);
      return region?.isLate(node) ? repeat(x, region) : rebuilt.get(x)!;
    });
    const own = [...(waiting.get(node) ?? [])].map((result) => firstNumber(rebuilt.get(result)!));
    rebuilt.set(node, withInputs(node, own.length === 0 ? inputs : [after(inputs[0]!, concat(own, 0))]));
  }
  const outputs = new Map([...program.outputs].map(([name, node]) => [name, rebuilt.get(node)!]));
  return { name: program.name, outputs };
}

/** Runs after `differentiate`, which marks the gradients at the edges of blocks, and before those marks are dropped. */
export const recompute: Rewrite = {
  name: 'recompute',
  ensures: "no gradient reads what a block computed before it arrived, but for the block's input",
  run: repeatBlocks,
  verify(program) {
    const order = nodesOf(program);
    return blocksOf(order).flatMap((block) => {
      const { isInside, isLate } = regionOf(order, block);
      return order
        .filter((node) => isLate(node) && node.op !== 'after')
        .flatMap((node) => node.inputs.filter(isInside))
        .map((x) => `a ${x.op} of (${x.shape}) is kept for a gradient`);
    });
  },
};
