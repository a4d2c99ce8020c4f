/** The tensors of a file: names, shapes, types, and what of the model each is made of. */

import type { Shape, Tensor } from '../programs/ops.ts';
import type { Policy } from '../stages/stage.ts';
import { type Arrangement, arrange } from './arrangement.ts';
import { type NumberTypeName, numberTypes } from './number-types.ts';
import { arrangementOf, ggufName } from './tensor-names.ts';

export interface PlannedTensor {
  /** llama.cpp's */
  readonly name: string;
  /** Hugging Face's; undefined for one that is not a weight. */
  readonly weight: string | undefined;
  readonly arrangement: Arrangement;
  /** As it lies in the file, rows first. */
  readonly shape: Shape;
  readonly type: NumberTypeName;
  read(): Tensor;
}

/** Errors: GgufError for a tensor that llama.cpp has no place for. */
export function plannedTensors(
  policy: Pick<Policy, 'family' | 'config' | 'weights'>,
  type: NumberTypeName,
): PlannedTensor[] {
  const { family, config, weights } = policy;
  const shape = family.shape(config);
  const tied = !family.parameters(config).some(({ name }) => name === 'lm_head.weight');
  return family.parameters(config).map((spec) => {
    const arrangement = arrangementOf(config, shape, spec.name);
    const name = ggufName(config, spec.name);
    const inFile = arrangement === 'transposed' ? [...spec.shape].reverse() : spec.shape;
    return {
      name,
      weight: spec.name,
      arrangement,
      shape: inFile,
      type: typeOf(name, inFile, type, tied),
      read: () => arrange('read' in weights ? weights.read(spec.name) : weights.get(spec.name)!, arrangement),
    };
  });
}

/**
 * As llama.cpp's converter has it: vectors, norms and positions stay f32. With q4_0 the matrix that makes the logits is
 * q8_0 (llama.cpp's own tool takes six bits there). A row that is not whole blocks is f16.
 */
function typeOf(name: string, shape: Shape, type: NumberTypeName, tied: boolean): NumberTypeName {
  if (shape.length === 1 || name.endsWith('_norm.weight') || name === 'position_embd.weight') return 'f32';
  const makesLogits = name === 'output.weight' || (tied && name === 'token_embd.weight');
  const wanted = type === 'q4_0' && makesLogits ? 'q8_0' : type;
  return shape.at(-1)! % numberTypes[wanted].block === 0 ? wanted : 'f16';
}

/** Which of a model's weights are f16 because their rows are not whole blocks of the type that was asked for. */
export function fallenBack(tensors: readonly PlannedTensor[], type: NumberTypeName): string[] {
  const { block } = numberTypes[type];
  const fallen = tensors.filter((tensor) => block > 1 && tensor.type === 'f16');
  if (fallen.length === 0) return [];
  const widths = [...new Set(fallen.map(({ shape }) => shape.at(-1)!))];
  return [
    `${fallen.length} tensors are f16: their rows of ${widths.join(' and ')} numbers are not whole blocks of ${block}, which ${type} needs`,
  ];
}
