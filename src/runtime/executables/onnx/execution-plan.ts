/**
 * What onnxruntime makes of a model before it runs: values that it computes once and keeps, the order of its nodes, and
 * which values share a buffer. Followed from its sources (graph.cc `ReverseDFSFrom`, allocation_planner.cc) and checked
 * against the pages of its arena (`bench/memory.ts`).
 */
import { sizeOf } from '../../programs/program.ts';
import type { OnnxModel, OnnxNode } from './protobuf.ts';
import { BYTES_OF, bytesOfValue, integersIn, type ValueType } from './value-shapes.ts';

/** A piece of the arena, from the node that first writes it to the last that reads it. */
export interface Buffer {
  readonly bytes: number;
  /** Places in the order of nodes. */
  readonly born: number;
  dies: number;
  /** Whether it is handed to the caller: it lives to the end. */
  readonly isOutput: boolean;
}

export interface ExecutionPlan {
  readonly nodes: readonly OnnxNode[];
  readonly buffers: readonly Buffer[];
  /** Values that depend on nothing that is fed: computed when the model is loaded, and kept. Name → bytes. */
  readonly folded: ReadonlyMap<string, number>;
}

/** Results that lie on their operand. */
const VIEWS = new Set(['Reshape', 'Identity']);
/** Results that may be written over their first operand where nothing else reads it; found by trying each. */
const IN_PLACE = new Set(['Tanh', 'Sigmoid', 'Softplus', 'Softmax', 'LogSoftmax', 'Cast']);

export function executionPlan(model: OnnxModel, types: ReadonlyMap<string, ValueType>): ExecutionPlan {
  const { left, folded } = fold(model, types);
  const nodes = depthFirst(splitAtOnce(left, types, model));
  return { nodes, folded, buffers: buffersOf(nodes, model, types) };
}

/** Equal nodes are one; those that read nothing but what is written into the model are computed once and for all. */
function fold({ nodes, initializers, outputs }: OnnxModel, types: ReadonlyMap<string, ValueType>) {
  const known = new Set(initializers.map(({ name }) => name));
  const handedOut = new Set(outputs.map(({ name }) => name));
  const folded = new Map<string, number>();
  const equal = new Map<string, OnnxNode>();
  const alias = new Map<string, string>();
  const left: OnnxNode[] = [];
  for (const written of nodes) {
    const node = { ...written, inputs: written.inputs.map((name) => alias.get(name) ?? name) };
    const key = JSON.stringify([node.domain, node.operator, node.inputs, node.attributes]);
    const earlier = equal.get(key);
    if (earlier !== undefined && !node.outputs.some((name) => handedOut.has(name))) {
      for (const [i, name] of node.outputs.entries()) alias.set(name, earlier.outputs[i]!);
      continue;
    }
    equal.set(key, node);
    if (!node.inputs.every((name) => known.has(name))) {
      left.push(node);
      continue;
    }
    for (const name of node.outputs) {
      known.add(name);
      folded.set(name, bytesOfValue(types.get(name)!));
    }
  }
  const read = new Set(left.flatMap((node) => node.inputs));
  for (const name of folded.keys()) if (!read.has(name)) folded.delete(name);
  return { left, folded };
}

/** Slices that cut a value into all its parts become one node, which counts as written last. */
function splitAtOnce(
  nodes: readonly OnnxNode[],
  types: ReadonlyMap<string, ValueType>,
  { inputs, initializers }: OnnxModel,
): OnnxNode[] {
  const single = depthFirst(nodes).flatMap(({ outputs }) => (outputs.length === 1 ? outputs : []));
  const readers = new Map<string, OnnxNode[]>();
  for (const node of nodes)
    for (const name of new Set(node.inputs)) readers.set(name, [...(readers.get(name) ?? []), node]);
  const gone = new Set<OnnxNode>();
  const splits: OnnxNode[] = [];
  for (const name of [...inputs.map((input) => input.name), ...single]) {
    const parts = readers.get(name) ?? [];
    if (parts.length < 2 || parts.some((part) => part.operator !== 'Slice' || part.inputs[0] !== name))
      continue;
    const cuts = parts.map((part) => cutOf(part, initializers)).sort((a, b) => a.start - b.start);
    const { axis } = cuts[0]!;
    const ends = cuts.map((cut) => cut.end);
    const isWhole =
      cuts.every((cut, i) => cut.axis === axis && cut.start === (ends[i - 1] ?? 0)) &&
      ends.at(-1) === types.get(name)!.shape[axis];
    if (!isWhole) continue;
    for (const part of parts) gone.add(part);
    const outputs = cuts.map(({ node }) => node.outputs[0]!);
    splits.push({ operator: 'Split', domain: '', inputs: [name], outputs, attributes: { axis } });
  }
  return [...nodes.filter((node) => !gone.has(node)), ...splits];
}

interface Cut {
  readonly node: OnnxNode;
  readonly axis: number;
  readonly start: number;
  readonly end: number;
}

/** Of a slice along one axis; an axis of NaN where it cuts several. */
function cutOf(node: OnnxNode, initializers: OnnxModel['initializers']): Cut {
  const list = (input: number) =>
    integersIn(
      initializers.find(({ name }) => name === node.inputs[input]),
      node,
    );
  const [starts, ends, axes] = [list(1), list(2), list(3)];
  const one = axes.length === 1;
  return { node, axis: one ? axes[0]! : Number.NaN, start: starts[0]!, end: ends[0]! };
}

/** From the last of the nodes that nobody reads backwards, the operand that was written last first. */
function depthFirst(nodes: readonly OnnxNode[]): OnnxNode[] {
  const index = new Map(nodes.map((node, i) => [node, i]));
  const maker = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const read = new Set(nodes.flatMap((node) => node.inputs));
  const stack = nodes
    .filter((node) => !node.outputs.some((name) => read.has(name)))
    .map((node) => ({ node, done: false }));
  const seen = new Set<OnnxNode>();
  const order: OnnxNode[] = [];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, done } = top;
    if (done) order.push(node);
    if (seen.has(node)) continue;
    seen.add(node);
    stack.push({ node, done: true });
    const makers = new Set(node.inputs.flatMap((name) => maker.get(name) ?? []));
    for (const next of [...makers].sort((a, b) => index.get(a)! - index.get(b)!))
      if (!seen.has(next)) stack.push({ node: next, done: false });
  }
  return order;
}

interface Shared extends Buffer {
  /** Reads to come of all values that lie on it. */
  uses: number;
  readonly shape: string;
}

/** Values whose shape onnxruntime does not infer: it shares no buffer with them, until a Reshape says what they are. */
function unknownShapes(nodes: readonly OnnxNode[]): Set<string> {
  const unknown = new Set<string>();
  for (const { operator, inputs, outputs } of nodes)
    if (operator === 'MatMulBnb4' || (operator !== 'Reshape' && inputs.some((name) => unknown.has(name))))
      for (const name of outputs) unknown.add(name);
  return unknown;
}

/** Buffers of one shape are passed on to later values of the same shape, and held from one to the next. */
function buffersOf(
  nodes: readonly OnnxNode[],
  model: OnnxModel,
  types: ReadonlyMap<string, ValueType>,
): Buffer[] {
  const outputs = new Set(model.outputs.map(({ name }) => name));
  const uses = new Map<string, number>();
  const count = (name: string) => uses.set(name, (uses.get(name) ?? 0) + 1);
  for (const node of nodes) node.inputs.forEach(count);
  for (const name of outputs) count(name);

  const all: Shared[] = [];
  const bufferOf = new Map<string, Shared>();
  /** Most recently freed first. */
  const free: Shared[] = [];
  const unknown = unknownShapes(nodes);
  const shapeOf = (name: string) => {
    const { dtype, shape } = types.get(name)!;
    if (unknown.has(name)) return name;
    return `${BYTES_OF[dtype]}(${shape})`;
  };
  const operandToTake = ({ operator, inputs }: OnnxNode, output: string): Shared | undefined => {
    const operand = bufferOf.get(inputs[0]!);
    if (VIEWS.has(operator)) return operand;
    const fits = IN_PLACE.has(operator) && operand?.uses === 1 && shapeOf(inputs[0]!) === shapeOf(output);
    return fits ? operand : undefined;
  };
  const freeOne = (output: string): Shared | undefined => {
    if (types.get(output)!.shape.length === 0) return undefined;
    const at = free.findIndex(({ shape }) => shape === shapeOf(output));
    return at < 0 ? undefined : free.splice(at, 1)[0];
  };

  nodes.forEach((node, at) => {
    for (const output of node.outputs) {
      const isOutput = outputs.has(output);
      const taken = isOutput ? undefined : (operandToTake(node, output) ?? freeOne(output));
      // A view of something that is no buffer (a fed or a constant value) needs none.
      if (!isOutput && !taken && VIEWS.has(node.operator) && !bufferOf.has(node.inputs[0]!)) continue;
      const buffer = taken ?? {
        bytes: bytesOfValue(types.get(output)!),
        born: at,
        dies: at,
        isOutput,
        uses: 0,
        shape: shapeOf(output),
      };
      if (!taken) all.push(buffer);
      buffer.uses += uses.get(output) ?? 0;
      buffer.dies = isOutput ? nodes.length : Math.max(buffer.dies, at);
      bufferOf.set(output, buffer);
    }
    for (const name of node.inputs) release(name, at);
    for (const name of node.outputs) if (bufferOf.get(name)?.uses === 0) free.unshift(bufferOf.get(name)!);
  });
  return all;

  function release(name: string, at: number): void {
    const buffer = bufferOf.get(name);
    if (buffer === undefined) return;
    if (!buffer.isOutput) buffer.dies = Math.max(buffer.dies, at);
    if (--buffer.uses === 0) free.unshift(buffer);
  }
}

/** Bytes that a node needs besides its result while it runs. */
export function scratchBytes(node: OnnxNode, types: ReadonlyMap<string, ValueType>): number {
  const elements = (name: string | undefined) => (name === undefined ? 0 : sizeOf(types.get(name)!.shape));
  switch (node.operator) {
    case 'ScatterElements':
      // Its indices as 64-bit numbers.
      return 8 * elements(node.inputs[1]);
    case 'Where':
      return Math.max(0, ...node.inputs.slice(1).map((name) => 4 * elements(name)));
    default:
      return 0;
  }
}
