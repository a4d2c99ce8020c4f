/** A tensor program → an ONNX model. */
import type { OpName, Tensor, TensorData } from '../../programs/ops.ts';
import { type Node, nodesOf, type Program, sizeOf, topological } from '../../programs/program.ts';
import { dequantized } from './dequantize-rule.ts';
import { bytesOf, OnnxGraph, type QuantizedValue, type Target } from './graph.ts';
import { mappedWeights, Widening } from './mapped-weights.ts';
import { takesCodes } from './matmul-rule.ts';
import type { MappedInitializer, OnnxInitializer, OnnxModel, OnnxValueInfo } from './protobuf.ts';
import { type OnnxRule, onnxRules } from './rules.ts';
import { WeightRows } from './weight-rows.ts';

export interface LoweredProgram {
  readonly model: OnnxModel;
  /** Name of each program output in the model. */
  readonly outputs: ReadonlyMap<string, string>;
  /** Frozen weights that are graph inputs, by the input's name: fed with every run. */
  readonly held: ReadonlyMap<string, Tensor>;
  /** Numbers of the external initializers, by the names of their files. */
  readonly external: ReadonlyMap<string, TensorData>;
}

type Source = Node<'input'> | Node<'parameter'>;
const isSource = (node: Node): node is Source => node.op === 'input' || node.op === 'parameter';

/** One of each name: a weight may be read by several nodes. */
function sourcesOf(order: readonly Node[]): Map<string, Source> {
  return new Map(order.filter(isSource).map((node) => [node.attributes.name, node]));
}

/** Gives values their output names; a copy only where one value has two names or is itself an input. */
function nameOutputs(graph: OnnxGraph, values: ReadonlyMap<string, string>, taken: ReadonlySet<string>) {
  const rename = new Map<string, string>();
  const written = [...graph.early, ...graph.nodes];
  const produced = new Set(written.flatMap((node) => node.outputs));
  const outputs = new Map<string, string>();
  for (const [name, value] of values) {
    const output = taken.has(name) ? `${name}:out` : name;
    outputs.set(name, output);
    const target = produced.has(value) && !rename.has(value) ? value : graph.node('Identity', [value]);
    rename.set(target, output);
  }
  const renamed = (name: string) => rename.get(name) ?? name;
  const nodes = [...graph.early, ...graph.nodes].map((node) => ({
    ...node,
    inputs: node.inputs.map(renamed),
    outputs: node.outputs.map(renamed),
  }));
  return { nodes, outputs };
}

/** Tables of rows are read in place; a smaller one is not worth an input. */
const smallestFedTable = 4096;

/**
 * How frozen weights reach the model. `embed`: inside its bytes. `pack`: as external initializers of their own names,
 * which the engine packs for products; a table of rows is fed beside them, else the engine would keep a copy of it.
 * `feed`: as graph inputs, without any copy; mapped from their file where they lie in one. `outside`: as external initializers, nothing fed.
 */
export type Weights = 'embed' | 'pack' | 'feed' | 'outside';

const typeText = ({ dtype, shape }: { dtype: string; shape: readonly number[] }) =>
  `${dtype}(${shape.join(', ')})`;

const parametersIn = (sources: ReadonlyMap<string, Source>, frozen: ReadonlyMap<string, Tensor>) =>
  new Map([...frozen].filter(([name]) => sources.get(name)?.op === 'parameter'));

function checkFrozen(sources: ReadonlyMap<string, Source>, frozen: ReadonlyMap<string, Tensor>): void {
  for (const [name, value] of frozen) {
    const node = sources.get(name);
    if (node !== undefined && typeText(node) !== typeText(value))
      throw new Error(`the parameter "${name}" needs ${typeText(node)}, its value is ${typeText(value)}`);
  }
}

/**
 * Inputs and parameters become graph inputs; parameters in `frozen` become what `weights` says.
 * Errors: Error for a frozen weight of another shape.
 */
export function lowerToOnnx(
  program: Program,
  frozen: ReadonlyMap<string, Tensor>,
  weights: Weights,
  target: Target = {},
): LoweredProgram {
  const order = nodesOf(program);
  const sources = sourcesOf(order);
  checkFrozen(sources, frozen);
  const ofCodes = new Set(
    topological(order.flatMap((node) => (node.op === 'dequantize' ? node.inputs : []))),
  );
  const graph = new OnnxGraph(target);
  const names = new Map<Node, string>();
  const held = new Map<string, Tensor>();
  const looked = new Map<Node, number>();
  const mapped: Map<string, MappedInitializer> =
    weights === 'feed' ? mappedWeights(parametersIn(sources, frozen)) : new Map();
  const widening = new Widening(mapped, graph);
  /** The numbers of a quantized weight, for one reader. */
  const lookUp = (x: Node, value: QuantizedValue): string => {
    const times = (looked.get(x) ?? 0) + 1;
    looked.set(x, times);
    // Under another name, or the engine would find that two readers want the same and keep it between them.
    const tensor = weights === 'pack' && times > 1 ? frozen.get(value.codes) : undefined;
    const codes = tensor === undefined ? value.codes : `${value.codes}:${times}`;
    if (tensor !== undefined) held.set(codes, tensor);
    return graph.writeEarly(() => dequantized({ ...value, codes }, graph));
  };
  const nameFor = (reader: Node, x: Node): string => {
    const name = names.get(x)!;
    const quantized = graph.quantized.get(name);
    if (quantized !== undefined)
      return reader.op === 'matmul' && reader.inputs[1] === x && takesCodes(reader, quantized, target)
        ? name
        : lookUp(x, quantized);
    const table =
      weights === 'pack' && x.op === 'parameter' && reader.op === 'gatherRows' && frozen.get(name);
    if (!table || sizeOf(table.shape) < smallestFedTable) return widening.nameFor(name);
    held.set(`${name}:rows`, table);
    return `${name}:rows`;
  };
  const rowsOf = new WeightRows(frozen, weights, mapped, held);
  for (const node of order) {
    const rows = rowsOf.nameFor(node);
    if (rows !== undefined) {
      names.set(node, rows);
      continue;
    }
    const lower = () => {
      // Rows are widened after they are picked.
      const table = node.op === 'gatherRows' ? names.get(node.inputs[0]!)! : '';
      const inputs = node.inputs.map((x, i) =>
        i === 0 && widening.isHalf(table) ? table : nameFor(node, x),
      );
      const result = (onnxRules[node.op] as OnnxRule<OpName>)(node, inputs, graph);
      return widening.isHalf(table) ? widening.widen(result) : result;
    };
    names.set(node, ofCodes.has(node) ? graph.writeEarly(lower) : lower());
  }
  const outputName = (node: Node): string => {
    const quantized = graph.quantized.get(names.get(node)!);
    return quantized === undefined ? widening.nameFor(names.get(node)!) : lookUp(node, quantized);
  };
  const values = new Map([...program.outputs].map(([name, node]) => [name, outputName(node)]));
  const { nodes, outputs } = nameOutputs(graph, values, new Set(sources.keys()));
  const read = new Set(nodes.flatMap((node) => node.inputs));
  const inputs: OnnxValueInfo[] = [];
  const initializers: OnnxInitializer[] = [];
  for (const [name, { op, dtype, shape }] of sources) {
    const value = op === 'parameter' ? frozen.get(name) : undefined;
    if (mapped.has(name)) continue;
    if (value !== undefined && ofCodes.has(sources.get(name)!) && !read.has(name)) continue;
    if (value === undefined) inputs.push({ name, dtype, shape });
    // As an initializer it would be looked up once and for all: f32 in memory.
    else if (weights === 'feed' || (weights === 'pack' && ofCodes.has(sources.get(name)!)))
      held.set(name, value);
    else if (read.has(name)) {
      const bytes = bytesOf(value.data);
      const data = weights === 'embed' ? { bytes } : { external: name, length: bytes.length };
      initializers.push({ name, dtype, shape, data });
    }
  }
  for (const [name, { dtype, shape }] of held) inputs.push({ name, dtype, shape });
  const all = [...graph.initializers, ...initializers, ...rowsOf.initializers];
  const places = all.flatMap(({ data }) => ('external' in data ? [data.external] : []));
  const external = new Map(places.map((name) => [name, graph.external.get(name) ?? frozen.get(name)!.data]));
  const model: OnnxModel = {
    name: program.name,
    opsets: { '': 21, 'com.microsoft': 1 },
    nodes,
    initializers: all,
    mapped: [...mapped.values()].filter(({ name }) => read.has(name)),
    inputs,
    outputs: [...program.outputs].map(([name, { dtype, shape }]) => ({
      name: outputs.get(name)!,
      dtype,
      shape,
    })),
  };
  return { model, outputs, held, external };
}
