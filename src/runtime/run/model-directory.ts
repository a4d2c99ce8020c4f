/** The weights of a whole model's directory, checked against its config.json: only headers are read. */
import { join } from 'node:path';
import { models } from '../catalog.ts';
import { CheckpointError, quoted } from '../checkpoints/checkpoint-error.ts';
import {
  checkpointTensors,
  type PlacedTensor,
  type PlacedTensors,
} from '../checkpoints/checkpoint-tensors.ts';
import { numberFormats } from '../checkpoints/number-formats.ts';
import { readTensorNow } from '../checkpoints/tensor-bytes.ts';
import { checkTensors, explainTensorProblem, type TensorProblem } from '../models/check-tensors.ts';
import { isClassifier } from '../models/config.ts';
import type { ModelConfig, ModelFamily } from '../models/model.ts';
import { ModelError } from '../models/model-error.ts';
import { openConfig } from '../models/open-config.ts';
import type { Shape, Tensor } from '../programs/ops.ts';
import { sizeOf } from '../programs/program.ts';
import { checkedState, type PartSize, weightsWithoutState } from '../quantization/bitsandbytes-layout.ts';
import { QUANTIZE_AGAIN } from '../quantization/quant-state.ts';
import type { LazyWeights } from '../stages/lazy-weights.ts';
import { SCORE } from '../stages/parts/reward-programs.ts';
import { checkCopy } from './check-copy.ts';
import { inFile, type LogicalTensor, logicalTensors, weightsIn } from './weights.ts';

export interface WholeModel {
  readonly weights: LazyWeights;
  /** The reward head, (1, D), of a reward model. */
  readonly score: Tensor | undefined;
  /** Whether it is no language model: its architecture has no output layer over the vocabulary. */
  readonly headless: boolean;
}

/**
 * undefined where the directory holds no whole model.
 * @throws CheckpointError for a damaged file, and for tensors that are missing, of another shape, of numbers that ftc does
 * not read, or that the model does not have: each with its name, what was expected and what was found.
 */
export async function openWholeModel(
  directory: string,
  config: ModelConfig,
): Promise<WholeModel | undefined> {
  const tensors = await checkpointTensors(directory);
  if (tensors === undefined) return undefined;
  refuseOtherQuantization(directory, config);
  refuseCodesWithoutState(tensors);
  const family = familyOf(config, directory);
  const turned = turnedInCodes(config);
  const found = logicalTensors(tensors).filter(({ name }) => name !== SCORE);
  const shapes = found.map(
    (tensor) => [tensor.name, logicalShape(family, config, tensors, tensor, turned)] as const,
  );
  const { stored, problems, copy } = checkTensors(family, config, shapes);
  const isReward = tensors.has(SCORE);
  refuse(directory, problems);
  const read = new Set(stored.values());
  for (const tensor of found) if (read.has(tensor.name)) checkFormat(tensor);
  if (copy !== undefined) checkCopy(tensors.get(copy[0])!, tensors.get(copy[1])!);
  return {
    weights: weightsIn(tensors, stored, turned),
    headless: isClassifier(config),
    score: isReward ? readScore(tensors, family.shape(config).width) : undefined,
  };
}

/** @throws CheckpointError naming what config.json has that no family computes, and a way out. */
export function familyOf(config: ModelConfig, directory = ''): ModelFamily {
  try {
    return openConfig(config, Object.values(models)).family;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const message = error.message.replace(/^config\.json /, '');
    throw new CheckpointError(join(directory, 'config.json'), message, undefined, error.help);
  }
}

/** Weights that are (in, out), which are kept (out, in) in codes. */
export const turnedInCodes = (config: ModelConfig): Set<string> =>
  new Set(
    familyOf(config)
      .linears(config)
      .flatMap(({ layout, weight }) => (layout === 'in,out' ? [weight] : [])),
  );

/** Of a weight in codes the shape that its quant_state tells, as the model has it. */
function logicalShape(
  family: ModelFamily,
  config: ModelConfig,
  tensors: PlacedTensors,
  { name, shape, parts }: LogicalTensor,
  turned: ReadonlySet<string>,
): Shape {
  const state = parts && tensors.get(parts.find((part) => part.includes('.quant_state.'))!)!;
  if (state === undefined) return shape;
  const { dtype, data } = readTensorNow(state.file, state);
  if (dtype !== 'u8')
    throw new CheckpointError(state.file, `the tensor ${quoted(state.name)} is not of bytes`);
  const quantized = { stateName: state.name, bytes: data as Uint8Array };
  const logical = inFile(
    state.file,
    () => checkedState(name, quantized, (part) => partSize(tensors.get(part))).shape,
  );
  return turned.has(family.canonicalName(config, name) ?? name) ? logical.toReversed() : logical;
}

function partSize(tensor: PlacedTensor | undefined): PartSize | undefined {
  if (tensor === undefined) return undefined;
  const read = numberFormats[tensor.format]!.dtype ?? tensor.format;
  return { dtype: read.toUpperCase(), count: sizeOf(tensor.shape) };
}

/** @throws CheckpointError: without its quant_state the codes of a weight have neither a shape nor values. */
function refuseCodesWithoutState(tensors: PlacedTensors): void {
  const [weight] = weightsWithoutState(tensors.keys());
  if (weight === undefined) return;
  throw new CheckpointError(
    tensors.get(weight)!.file,
    `the tensor ${quoted(weight)} is in codes, and the quant_state that says what they mean is missing beside it`,
    weight,
    ['download the model again: a quant_state lies beside every weight in codes', QUANTIZE_AGAIN],
  );
}

const SHOWN = 3;

function refuse(directory: string, problems: readonly TensorProblem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const shown = problems.slice(0, SHOWN).map(explainTensorProblem);
  const more = problems.length > SHOWN ? [`${problems.length - SHOWN} more`] : [];
  throw new CheckpointError(directory, [...shown, ...more].join('; '), first.name);
}

function checkFormat({ name, format, file, parts }: LogicalTensor): void {
  if (parts !== undefined || numberFormats[format]?.dtype === 'f32') return;
  const message = `the tensor ${quoted(name)} holds ${format} numbers; weights are read in F32, F16, BF16 and F64`;
  throw new CheckpointError(file, message, name);
}

/** @throws CheckpointError where config.json says that the weights are in codes of a kind that ftc does not read. */
export function refuseOtherQuantization(
  directory: string,
  { quantization_config: settings }: ModelConfig,
): void {
  if (settings === null || typeof settings !== 'object' || Array.isArray(settings)) return;
  const { quant_method: method, load_in_8bit: eightBit } = settings as Record<string, unknown>;
  if ((method === undefined || method === 'bitsandbytes') && eightBit !== true) return;
  throw new CheckpointError(
    join(directory, 'config.json'),
    `says that the weights are quantized with ${eightBit === true ? 'bitsandbytes in 8 bits' : quoted(method)}, which ftc does not read`,
    undefined,
    [
      'take the model as it was before it was quantized; `qlora` and `precision=int8` keep it small in memory',
    ],
  );
}

function readScore(tensors: PlacedTensors, width: number): Tensor {
  const score = tensors.get(SCORE)!;
  checkFormat(score);
  const [rows, columns] = score.shape;
  if (score.shape.length === 2 && rows === 1 && columns === width) return readTensorNow(score.file, score);
  const message = `the tensor "${SCORE}" is (${score.shape.join(', ')}); a reward model of this width has it as (1, ${width})`;
  throw new CheckpointError(score.file, message, SCORE);
}
