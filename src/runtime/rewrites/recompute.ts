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

/** A block between two edges through which a gradient goes: of a frozen model only the last ones. */
interface Block {
  /** Number of the edge at its input; its output is the next. */
  readonly edge: number;
  readonly start: Node;
  /** The gradient of the output. */
  readonly arriving: Node;
}

function blocksOf(order: readonly Node[]): Block[] {
  const edges = new Map<number, Node>();
  const gradients = new Map<number, Node>();
  for (const node of order)
    if (node.op === 'blockEdge')
      (node.attributes.gradient ? gradients : edges).set(node.attributes.edge, node);
  return [...edges].flatMap(([edge, start]) => {
    const arriving = gradients.get(edge + 1);
    return edges.has(edge + 1) && arriving ? [{ edge, start, arriving }] : [];
  });
}

/** How far a node lies on the way of the data: an edge depends on those before it, its gradient on those behind it. */
interface Reach {
  /** The last edge that it depends on, itself included; -1 before the first. */
  readonly edge: number;
  /** The first edge on whose gradient it depends. */
  readonly gradient: number;
}

function reachOf(order: readonly Node[]): Map<Node, Reach> {
  const reach = new Map<Node, Reach>();
  for (const node of order) {
    let [edge, gradient] = [-1, Number.POSITIVE_INFINITY];
    for (const x of node.inputs) {
      const from = reach.get(x)!;
      edge = Math.max(edge, from.edge);
      gradient = Math.min(gradient, from.gradient);
    }
    if (node.op === 'blockEdge' && node.attributes.gradient)
      gradient = Math.min(gradient, node.attributes.edge);
    else if (node.op === 'blockEdge') edge = Math.max(edge, node.attributes.edge);
    reach.set(node, { edge, gradient });
  }
  return reach;
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

/** What lies inside blocks, and what reads it too late. */
function regionsOf(order: readonly Node[]) {
  const reach = reachOf(order);
  const blocks = blocksOf(order);
  const blockAt = new Map(blocks.map((block) => [block.edge, block]));
  /** Depends on the gradient of the block's output. */
  const isLate = (node: Node, { edge }: Block): boolean => reach.get(node)!.gradient <= edge + 1;
  /** Depends on the gradient of its input. */
  const isBelow = (node: Node, { edge }: Block): boolean => reach.get(node)!.gradient <= edge;
  /** The block of which a node depends on the input, and neither on the output nor on a gradient. */
  const blockWith = (node: Node): Block | undefined => {
    const block = blockAt.get(reach.get(node)!.edge);
    return block && !isLate(node, block) ? block : undefined;
  };
  return { blocks, isLate, isBelow, blockWith };
}

function repeatBlocks(program: Program): Program {
  const order = nodesOf(program);
  const { blocks, isLate, isBelow, blockWith } = regionsOf(order);
  const rebuilt = new Map<Node, Node>();
  const repeated = new Map<Node, Node>();

  /** A value computed again, from the block's input as it is once the gradient is there. */
  function repeat(node: Node, block: Block): Node {
    const known = repeated.get(node);
    if (known !== undefined) return known;
    const again =
      node === block.start
        ? after(rebuilt.get(node)!, rebuilt.get(block.arriving)!)
        : withInputs(
            node,
            node.inputs.map((x) => (blockWith(x) === block ? repeat(x, block) : rebuilt.get(x)!)),
          );
    repeated.set(node, again);
    return again;
  }

  const results = [...program.outputs.values()];
  const waiting = new Map(
    blocks.flatMap((block) => {
      const leaving = order.find((node) => isGradientAt(node, block.start));
      if (leaving === undefined) return [];
      const own = results.filter((node) => isLate(node, block) && !isBelow(node, block));
      return own.length === 0 ? [] : [[leaving, new Set(own)] as const];
    }),
  );
  for (const node of inOrderOf(order, waiting)) {
    const inputs = node.inputs.map((x) => {
      const block = blockWith(x);
      return block && isLate(node, block) ? repeat(x, block) : rebuilt.get(x)!;
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
    const { isLate, blockWith } = regionsOf(order);
    return order
      .filter(({ op }) => op !== 'after')
      .flatMap((node) => node.inputs.filter((x) => blockWith(x) && isLate(node, blockWith(x)!)))
      .map((x) => `a ${x.op} of (${x.shape}) is kept for a gradient`);
  },
};
