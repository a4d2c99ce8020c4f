/** What onnxruntime's own optimisations make of a model, as far as its memory is concerned. */
import { depthFirst } from './execution-order.ts';
import type { OnnxAttribute, OnnxInitializer, OnnxModel, OnnxNode } from './protobuf.ts';
import { bytesOfValue, integersIn, type ValueType } from './value-shapes.ts';

export interface EngineGraph {
  readonly nodes: readonly OnnxNode[];
  /** Values that depend on nothing that is fed: computed when the model is loaded, and kept. Name → bytes. */
  readonly folded: ReadonlyMap<string, number>;
}

export function engineGraph(model: OnnxModel, types: ReadonlyMap<string, ValueType>): EngineGraph {
  const { left, folded } = fold(model, types);
  return { nodes: splitAtOnce(left, types, model), folded };
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
    const isAliased = alias.size > 0 && written.inputs.some((name) => alias.has(name));
    const node = isAliased
      ? { ...written, inputs: written.inputs.map((name) => alias.get(name) ?? name) }
      : written;
    const key = `${node.operator} ${node.inputs.join(' ')} ${attributeText(node)}`;
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

const attributeText = ({ attributes }: OnnxNode): string => {
  let text = '';
  for (const name in attributes) text += `${name}=${attributeValue(attributes[name]!)} `;
  return text;
};
const attributeValue = (value: OnnxAttribute): string =>
  typeof value === 'object' && 'float' in value ? `${value.float}f` : String(value);

/** Slices that cut a value into all its parts become one node, which counts as written last. */
function splitAtOnce(
  nodes: readonly OnnxNode[],
  types: ReadonlyMap<string, ValueType>,
  { inputs, initializers }: OnnxModel,
): readonly OnnxNode[] {
  const written = new Map(initializers.map((one) => [one.name, one]));
  const slices = nodes.filter(({ operator }) => operator === 'Slice');
  const cutValues = new Set(slices.map((node) => node.inputs[0]!));
  const readers = new Map<string, OnnxNode[]>();
  for (const node of nodes)
    for (const name of node.inputs)
      if (cutValues.has(name)) readers.set(name, [...(readers.get(name) ?? []), node]);
  const candidates = [...readers].filter(
    ([name, parts]) =>
      parts.length > 1 && parts.every(({ operator, inputs: [x] }) => operator === 'Slice' && x === name),
  );
  if (candidates.length === 0) return nodes;
  const place = new Map(
    depthFirst(nodes).map((node, i) => [node.outputs.length === 1 ? node.outputs[0] : '', i]),
  );
  for (const { name } of inputs) place.set(name, -1);
  const gone = new Set<OnnxNode>();
  const splits: OnnxNode[] = [];
  const found = candidates.filter(([name]) => place.has(name));
  for (const [name, parts] of found.sort((a, b) => place.get(a[0])! - place.get(b[0])!)) {
    const cuts = parts.map((part) => cutOf(part, written)).sort((a, b) => a.start - b.start);
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
function cutOf(node: OnnxNode, written: ReadonlyMap<string, OnnxInitializer>): Cut {
  const list = (input: number) => integersIn(written.get(node.inputs[input]!), node);
  const [starts, ends, axes] = [list(1), list(2), list(3)];
  const axis = axes.length === 1 ? axes[0]! : Number.NaN;
  return { node, axis, start: starts[0]!, end: ends[0]! };
}
