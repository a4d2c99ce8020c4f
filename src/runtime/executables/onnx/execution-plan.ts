/**
 * What onnxruntime makes of a model before it runs: values that it computes once and keeps, the order of its nodes, and
 * which values share a buffer. Followed from its sources (graph.cc `ReverseDFSFrom`, allocation_planner.cc) and checked
 * against the pages of its arena (`bench/memory.ts`).
 */
import { sizeOf } from '../../programs/program.ts';
import { type EngineGraph, engineGraph } from './engine-graph.ts';
import { depthFirst } from './execution-order.ts';
import type { OnnxModel, OnnxNode } from './protobuf.ts';
import { BYTES_OF, bytesOfValue, type ValueType } from './value-shapes.ts';

/** A piece of the arena, from the node that first writes it to the last that reads it. */
export interface Buffer {
  readonly bytes: number;
  /** Places in the order of nodes. */
  readonly born: number;
  dies: number;
  /** Whether it is handed to the caller: it lives to the end. */
  readonly isOutput: boolean;
}

/** Nodes in the order of their execution. */
export interface ExecutionPlan extends EngineGraph {
  readonly buffers: readonly Buffer[];
}

/** Results that lie on their operand. */
const VIEWS = new Set(['Reshape', 'Identity']);
/** Results that may be written over their first operand where nothing else reads it; found by trying each. */
const IN_PLACE = new Set(['Tanh', 'Sigmoid', 'Softplus', 'Softmax', 'LogSoftmax', 'Cast']);

/** `bytesOf`: of a value on the device. Default: on the CPU. */
export function executionPlan(
  model: OnnxModel,
  types: ReadonlyMap<string, ValueType>,
  bytesOf: (type: ValueType) => number = bytesOfValue,
): ExecutionPlan {
  const { nodes: left, folded } = engineGraph(model, types);
  const nodes = depthFirst(left);
  return { nodes, folded, buffers: buffersOf(nodes, model, types, bytesOf) };
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
  bytesOf: (type: ValueType) => number,
): Buffer[] {
  const outputs = new Set(model.outputs.map(({ name }) => name));
  const uses = new Map<string, number>();
  const count = (name: string) => uses.set(name, (uses.get(name) ?? 0) + 1);
  for (const node of nodes) node.inputs.forEach(count);
  for (const name of outputs) count(name);

  const all: Shared[] = [];
  const bufferOf = new Map<string, Shared>();
  /** By shape, most recently freed last. */
  const free = new Map<string, Shared[]>();
  const unknown = unknownShapes(nodes);
  const shapes = new Map<string, string>();
  const shapeOf = (name: string): string => {
    const known = shapes.get(name);
    if (known !== undefined) return known;
    const { dtype, shape } = types.get(name)!;
    const text = unknown.has(name) ? name : `${BYTES_OF[dtype]}(${shape})`;
    shapes.set(name, text);
    return text;
  };
  const operandToTake = ({ operator, inputs }: OnnxNode, output: string): Shared | undefined => {
    const operand = bufferOf.get(inputs[0]!);
    if (VIEWS.has(operator)) return operand;
    const fits = IN_PLACE.has(operator) && operand?.uses === 1 && shapeOf(inputs[0]!) === shapeOf(output);
    return fits ? operand : undefined;
  };
  const freeOne = (output: string): Shared | undefined =>
    types.get(output)!.shape.length === 0 ? undefined : free.get(shapeOf(output))?.pop();
  const setFree = (buffer: Shared): void => {
    const same = free.get(buffer.shape);
    if (same) same.push(buffer);
    else free.set(buffer.shape, [buffer]);
  };

  nodes.forEach((node, at) => {
    for (const output of node.outputs) {
      const isOutput = outputs.has(output);
      // A view of something that is no buffer (a fed or a constant value) needs none.
      if (!isOutput && VIEWS.has(node.operator) && !bufferOf.has(node.inputs[0]!)) continue;
      const taken = isOutput ? undefined : (operandToTake(node, output) ?? freeOne(output));
      const buffer = taken ?? {
        bytes: bytesOf(types.get(output)!),
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
    for (const name of node.outputs) if (bufferOf.get(name)?.uses === 0) setFree(bufferOf.get(name)!);
  });
  return all;

  function release(name: string, at: number): void {
    const buffer = bufferOf.get(name);
    if (buffer === undefined) return;
    if (!buffer.isOutput) buffer.dies = Math.max(buffer.dies, at);
    if (--buffer.uses === 0) setFree(buffer);
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
