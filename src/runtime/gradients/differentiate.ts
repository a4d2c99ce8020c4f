/** Reverse-mode differentiation: a program and its loss → the same program with gradients as further outputs. */
import { add, constant, expand, scalar } from '../programs/builder.ts';
import type { OpName, Shape } from '../programs/ops.ts';
import { type Node, nodesOf, type Program, sizeOf } from '../programs/program.ts';
import type { GradientRule } from './rule.ts';
import { gradientRules } from './rules.ts';

export interface DifferentiateOptions {
  /** Name of an output that holds one f32 number. */
  readonly loss: string;
  /** Names of parameters (or f32 inputs) whose gradients are wanted. */
  readonly withRespectTo: readonly string[];
}

const sourceName = (node: Node): string | undefined =>
  node.op === 'parameter' || node.op === 'input' ? node.attributes.name : undefined;

/** Operands through which a gradient may flow. */
function differentiable(node: Node): readonly Node[] {
  if (node.dtype !== 'f32' || gradientRules[node.op] === 'none') return [];
  if (node.op === 'attachGradient') return node.inputs.slice(1, 1 + node.attributes.count);
  return node.inputs.filter((x) => x.dtype === 'f32');
}

/** Nodes whose value depends smoothly on a wanted tensor: only these get gradients. */
function activeNodes(order: readonly Node[], wanted: ReadonlySet<string>): Set<Node> {
  const active = new Set<Node>();
  for (const node of order) {
    const name = sourceName(node);
    const isWanted = name !== undefined && wanted.has(name);
    if (isWanted || differentiable(node).some((x) => active.has(x))) active.add(node);
  }
  return active;
}

const ones = (shape: Shape): Node =>
  constant({ dtype: 'f32', shape, data: new Float32Array(sizeOf(shape)).fill(1) });

function checked(
  program: Program,
  { loss, withRespectTo }: DifferentiateOptions,
  order: readonly Node[],
): Node {
  const node = program.outputs.get(loss);
  if (node === undefined) throw new Error(`program ${program.name} has no output "${loss}" to differentiate`);
  if (node.dtype !== 'f32' || sizeOf(node.shape) !== 1)
    throw new Error(`the loss "${loss}" must be one f32 number, is ${node.dtype}(${node.shape.join(', ')})`);
  const sources = new Map(order.map((n) => [sourceName(n), n]));
  for (const name of withRespectTo) {
    const source = sources.get(name);
    if (source === undefined) throw new Error(`program ${program.name} does not read "${name}"`);
    if (source.dtype !== 'f32') throw new Error(`"${name}" is ${source.dtype}: only f32 has a gradient`);
  }
  return node;
}

/**
 * Adds an output `grad:NAME` of the tensor's shape for each wanted tensor: dL/dNAME, zeros where the loss does not depend
 * on it. Nodes outside the paths from wanted tensors to the loss get no gradient.
 * Errors: Error where the loss is no single f32 number or the program does not read a name.
 */
export function differentiate(program: Program, options: DifferentiateOptions): Program {
  const order = nodesOf(program);
  const loss = checked(program, options, order);
  const active = activeNodes(order, new Set(options.withRespectTo));
  const gradients = new Map<Node, Node>([[loss, ones(loss.shape)]]);
  const accumulate = (node: Node, gradient: Node) => {
    const sofar = gradients.get(node);
    gradients.set(node, sofar === undefined ? gradient : add(sofar, gradient));
  };
  for (const node of order.toReversed()) {
    const dy = gradients.get(node);
    const rule = gradientRules[node.op] as GradientRule<OpName> | 'none';
    if (dy === undefined || rule === 'none' || !active.has(node)) continue;
    rule(node, dy).forEach((gradient, i) => {
      const x = node.inputs[i]!;
      if (gradient !== undefined && active.has(x)) accumulate(x, gradient);
    });
  }
  const outputs = new Map(program.outputs);
  for (const name of options.withRespectTo) {
    const sources = order.filter((node) => sourceName(node) === name);
    const parts = sources.flatMap((source) => gradients.get(source) ?? []);
    const zero = expand(scalar(0), sources[0]!.shape);
    outputs.set(`grad:${name}`, parts.length === 0 ? zero : parts.reduce((a, b) => add(a, b)));
  }
  return { name: program.name, outputs };
}
