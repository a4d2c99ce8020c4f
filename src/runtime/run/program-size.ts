/** How large a program is, as one reads it beside a pass. */
import { liveBytes } from '../executables/onnx/live-bytes.ts';
import { bytesOf } from '../programs/cost.ts';
import { type Node, nodesOf, type Program, parametersOf, sizeOf } from '../programs/program.ts';
import { partsOf } from '../quantization/quantized-parameters.ts';
import { codeNames } from './plan-memory.ts';

export interface ProgramSize {
  readonly nodes: number;
  /** Elements of the weights that it reads, whatever they are stored as. */
  readonly parameters: number;
  /** As they are stored. */
  readonly weightBytes: number;
  /** The most that its other values take at once, in the engine's order. */
  readonly activationBytes: number;
}

export function programSize(program: Program): ProgramSize {
  const nodes = nodesOf(program);
  // A tied weight may be read by two nodes until they are shared.
  const stored = [...new Map(parametersOf(program).map((node) => [node.attributes.name, node])).values()];
  const { outputs, activations } = liveBytes(program, F32);
  return {
    nodes: nodes.length,
    parameters: [...elementsByWeight(nodes, codeNames(program)).values()].reduce((n, size) => n + size, 0),
    weightBytes: stored.reduce((n, node) => n + bytesOf(node), 0),
    activationBytes: outputs + activations,
  };
}

const F32 = 4;

/** A weight in codes counts once, whichever way it is read; scales count as part of it. */
function elementsByWeight(nodes: readonly Node[], inCodes: ReadonlySet<string>): Map<string, number> {
  const scales = new Set([...inCodes].map((name) => partsOf(weightOf(name)).nestedCodes));
  const elements = new Map<string, number>();
  for (const node of nodes) {
    const read = node.op === 'dequantize' ? node.inputs[0]! : node;
    if (read.op !== 'parameter') continue;
    const { name } = read.attributes;
    const isWeight = node.op === 'dequantize' ? !scales.has(name) : node.dtype === 'i8' || !inCodes.has(name);
    if (isWeight) elements.set(weightOf(name), sizeOf(node.shape));
  }
  return elements;
}

const weightOf = (name: string): string => name.replace(/\.codes$|(\.transposed)?\.int8$/, '');
