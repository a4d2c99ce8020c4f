/** A tensor program → an ONNX model. */
import type { OpName, Tensor } from '../../programs/ops.ts';
import { type Node, nodesOf, type Program } from '../../programs/program.ts';
import { bytesOf, OnnxGraph } from './graph.ts';
import type { OnnxInitializer, OnnxModel, OnnxValueInfo } from './protobuf.ts';
import { type OnnxRule, onnxRules } from './rules.ts';

export interface LoweredProgram {
  readonly model: OnnxModel;
  /** Name of each program output in the model. */
  readonly outputs: ReadonlyMap<string, string>;
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
  const produced = new Set(graph.nodes.flatMap((node) => node.outputs));
  const outputs = new Map<string, string>();
  for (const [name, value] of values) {
    const output = taken.has(name) ? `${name}:out` : name;
    outputs.set(name, output);
    const target = produced.has(value) && !rename.has(value) ? value : graph.node('Identity', [value]);
    rename.set(target, output);
  }
  const renamed = (name: string) => rename.get(name) ?? name;
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(renamed),
    outputs: node.outputs.map(renamed),
  }));
  return { nodes, outputs };
}

/**
 * Inputs and parameters become graph inputs; parameters in `frozen` become initializers, inside the model (`embed`) or
 * in an external file of the parameter's name. Errors: Error for a frozen weight of another shape.
 */
export function lowerToOnnx(
  program: Program,
  frozen: ReadonlyMap<string, Tensor>,
  weights: 'embed' | 'external',
): LoweredProgram {
  const order = nodesOf(program);
  const graph = new OnnxGraph();
  const names = new Map<Node, string>();
  for (const node of order) {
    const inputs = node.inputs.map((input) => names.get(input)!);
    names.set(node, (onnxRules[node.op] as OnnxRule<OpName>)(node, inputs, graph));
  }
  const sources = sourcesOf(order);
  const inputs: OnnxValueInfo[] = [];
  const initializers: OnnxInitializer[] = [];
  for (const [name, { op, dtype, shape }] of sources) {
    const value = op === 'parameter' ? frozen.get(name) : undefined;
    if (value === undefined) inputs.push({ name, dtype, shape });
    else if (value.shape.join() !== shape.join() || value.dtype !== dtype)
      throw new Error(
        `the parameter "${name}" needs ${dtype}(${shape}), its value is ${value.dtype}(${value.shape})`,
      );
    else {
      const bytes = bytesOf(value.data);
      const data = weights === 'embed' ? { bytes } : { external: name, length: bytes.length };
      initializers.push({ name, dtype, shape, data });
    }
  }
  const values = new Map([...program.outputs].map(([name, node]) => [name, names.get(node)!]));
  const { nodes, outputs } = nameOutputs(graph, values, new Set(sources.keys()));
  const model: OnnxModel = {
    name: program.name,
    opsets: { '': 21, 'com.microsoft': 1 },
    nodes,
    initializers: [...graph.initializers, ...initializers],
    inputs,
    outputs: [...program.outputs].map(([name, { dtype, shape }]) => ({
      name: outputs.get(name)!,
      dtype,
      shape,
    })),
  };
  return { model, outputs };
}
