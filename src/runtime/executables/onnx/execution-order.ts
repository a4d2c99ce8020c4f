/** The order in which onnxruntime executes nodes (graph.cc, `ReverseDFSFrom`). */
import type { OnnxNode } from './protobuf.ts';

/** From the last of the nodes that nobody reads backwards, the operand that was written last first. */
export function depthFirst(nodes: readonly OnnxNode[]): OnnxNode[] {
  const maker = new Map<string, number>();
  for (const [i, { outputs }] of nodes.entries()) for (const name of outputs) maker.set(name, i);
  const makers = nodes.map(({ inputs }) => {
    const found: number[] = [];
    for (const name of inputs) {
      const at = maker.get(name);
      if (at !== undefined && !found.includes(at)) found.push(at);
    }
    return found.sort((a, b) => a - b);
  });
  const isRead = new Uint8Array(nodes.length);
  for (const found of makers) for (const at of found) isRead[at] = 1;
  /** The node, or −1 − node once its operands are in the order. */
  const stack = nodes.flatMap((_, at) => (isRead[at] ? [] : [at]));
  const seen = new Uint8Array(nodes.length);
  const order: OnnxNode[] = [];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (top < 0) order.push(nodes[-1 - top]!);
    if (top < 0 || seen[top]) continue;
    seen[top] = 1;
    stack.push(-1 - top);
    for (const at of makers[top]!) if (!seen[at]) stack.push(at);
  }
  return order;
}
