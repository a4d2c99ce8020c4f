/** A tensor program: a directed acyclic graph of single-valued nodes with static shapes. */
import type { DType, OpAttributes, OpName, Shape } from './ops.ts';

/** One operation and the one value it makes. Nodes are immutable and compared by identity. */
export type Node<K extends OpName = OpName> = {
  readonly [O in K]: {
    readonly op: O;
    readonly inputs: readonly Node[];
    readonly attributes: OpAttributes[O];
    readonly shape: Shape;
    readonly dtype: DType;
  };
}[K];

export interface Program {
  readonly name: string;
  /** By name, in a stable order. */
  readonly outputs: ReadonlyMap<string, Node>;
}

/** Every node that an output needs, each after its operands; stable for a given program. */
export function topological(outputs: Iterable<Node>): Node[] {
  const order: Node[] = [];
  const state = new Map<Node, 'open' | 'done'>();
  const stack: Node[] = [...outputs].reverse();
  while (stack.length > 0) {
    const node = stack[stack.length - 1]!;
    const seen = state.get(node);
    if (seen === undefined) {
      state.set(node, 'open');
      for (let i = node.inputs.length - 1; i >= 0; i--) {
        const input = node.inputs[i]!;
        if (!state.has(input)) stack.push(input);
      }
    } else {
      stack.pop();
      if (seen === 'open') {
        state.set(node, 'done');
        order.push(node);
      }
    }
  }
  return order;
}

export function nodesOf(program: Program): Node[] {
  return topological(program.outputs.values());
}

/** Inputs fed at every run, in order of first use. */
export function inputsOf(program: Program): Node<'input'>[] {
  return nodesOf(program).filter((n): n is Node<'input'> => n.op === 'input');
}

/** Weights the program reads, in order of first use. */
export function parametersOf(program: Program): Node<'parameter'>[] {
  return nodesOf(program).filter((n): n is Node<'parameter'> => n.op === 'parameter');
}

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, n) => product * n, 1);
}
