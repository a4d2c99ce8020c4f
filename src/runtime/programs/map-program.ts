/** Rebuilds a program bottom-up: how rewrites replace nodes. */
import { makeNode } from './builder.ts';
import type { OpName } from './ops.ts';
import { type Node, nodesOf, type Program } from './program.ts';

/** The same operation on other operands; the node itself where they are the same. */
export function withInputs(node: Node, inputs: readonly Node[]): Node {
  if (inputs.every((x, i) => x === node.inputs[i])) return node;
  return makeNode(node.op as OpName, inputs, node.attributes as never) as Node;
}

/** Replaces every node, operands first: `replace` gets the node on its replaced operands, and what it was before. */
export function mapProgram(program: Program, replace: (node: Node, original: Node) => Node): Program {
  const replaced = new Map<Node, Node>();
  for (const node of nodesOf(program)) {
    const inputs = node.inputs.map((x) => replaced.get(x)!);
    replaced.set(node, replace(withInputs(node, inputs), node));
  }
  const outputs = new Map([...program.outputs].map(([name, node]) => [name, replaced.get(node)!]));
  return { name: program.name, outputs };
}
