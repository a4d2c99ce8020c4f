/** How large a program is, as one reads it beside a pass. */
import { bytesOf, memoryCost } from '../programs/cost.ts';
import { nodesOf, type Program, parametersOf, sizeOf } from '../programs/program.ts';

export interface ProgramSize {
  readonly nodes: number;
  /** Elements of the weights that it reads; of quantized ones, their bytes and scales. */
  readonly parameters: number;
  readonly weightBytes: number;
  /** The most that its other values take at once. */
  readonly activationBytes: number;
}

export function programSize(program: Program): ProgramSize {
  // A tied weight may be read by two nodes until they are shared.
  const weights = [...new Map(parametersOf(program).map((node) => [node.attributes.name, node])).values()];
  return {
    nodes: nodesOf(program).length,
    parameters: weights.reduce((n, { shape }) => n + sizeOf(shape), 0),
    weightBytes: weights.reduce((n, node) => n + bytesOf(node), 0),
    activationBytes: memoryCost(program).activationBytes,
  };
}
