/** A whole model in four bits, as transformers with bitsandbytes loads it. */
import type { WrittenTensor } from '../checkpoints/safetensors.ts';
import type { ModelConfig } from '../models/model.ts';
import type { Tensor } from '../programs/ops.ts';
import { bitsandbytesRefuses, toBitsandbytes } from '../quantization/bitsandbytes-layout.ts';
import { dequantize } from '../quantization/dequantize.ts';
import { quantize } from '../quantization/quantize.ts';
import { quantizedBytes } from '../quantization/quantized-bytes.ts';
import {
  type QuantizationOptions,
  type QuantizedTensor,
  sameKind,
} from '../quantization/quantized-tensor.ts';
import { LazyWeights } from '../stages/lazy-weights.ts';
import { type Policy, StageError } from '../stages/stage.ts';
import { transposed } from './weights.ts';
import { asStored, type NumberFormat, readWeight, weightAs } from './written-weights.ts';

export interface QuantizedExport {
  readonly tensors: ReadonlyMap<string, WrittenTensor>;
  readonly config: ModelConfig;
  /** Bits a weight, and how far the values moved. */
  readonly note: string;
}

/**
 * The linear weights of the blocks in codes, everything else in `dtype`. GPT-2's weights, (in, out), are turned first, as
 * bitsandbytes does. Errors: StageError where bitsandbytes has no such format.
 */
export function quantizedExport(
  policy: Policy,
  options: QuantizationOptions,
  dtype: NumberFormat,
): QuantizedExport {
  const refused = bitsandbytesRefuses(options);
  if (refused !== undefined)
    throw new StageError('method-does-not-fit', `bitsandbytes cannot load this: ${refused}`, {
      option: 'quant',
      help: ['write `quant=nf4`, blocks of 64'],
    });
  const { weights, family, config } = policy;
  const shapes = new Map(family.parameters(config).map((spec) => [spec.name, spec.shape]));
  const linears = new Map(family.linears(config).map((linear) => [linear.weight, linear.layout]));
  const tensors = new Map<string, WrittenTensor>();
  const sums = { error: 0, square: 0, bytes: 0, count: 0 };
  for (const name of weights.keys()) {
    const layout = linears.get(name);
    if (layout === undefined) tensors.set(name, weightAs(weights, name, shapes.get(name)!, dtype));
    else {
      for (const [part, tensor] of inCodes(policy, name, layout === 'in,out', options, sums))
        tensors.set(part, tensor);
    }
  }
  const bits = ((8 * sums.bytes) / sums.count).toFixed(3);
  const moved = (100 * Math.sqrt(sums.error / sums.square)).toFixed(1);
  return {
    tensors,
    config: { ...config, quantization_config: quantizationConfig(options) },
    note: `${linears.size} weights in ${options.format}, ${bits} bits each; their values moved by ${moved} % (root mean square)`,
  };
}

interface Sums {
  error: number;
  square: number;
  bytes: number;
  count: number;
}

function inCodes(
  { weights }: Policy,
  name: string,
  turned: boolean,
  options: QuantizationOptions,
  sums: Sums,
): [string, WrittenTensor][] {
  const { value, floats } = codesOf(weights, name, turned, options);
  const again = dequantize(value);
  for (let i = 0; i < floats.length; i++) {
    sums.error += (again[i]! - floats[i]!) ** 2;
    sums.square += floats[i]! ** 2;
  }
  sums.bytes += quantizedBytes(value.shape, options);
  sums.count += floats.length;
  return [...toBitsandbytes(name, value)].map(([part, { dtype, shape: size, data: bytes }]) => [
    part,
    dtype === 'U8' ? { dtype: 'u8', shape: size, data: bytes } : { dtype: 'f32', shape: size, data: bytes },
  ]);
}

/** A weight in codes, and what they stand for. Codes that lie in the policy's file already are taken as they are. */
function codesOf(
  weights: Policy['weights'],
  name: string,
  turned: boolean,
  options: QuantizationOptions,
): { readonly value: QuantizedTensor; readonly floats: Float32Array } {
  const stored = 'codes' in weights ? weights.codes(name) : undefined;
  const read = readWeight(weights, name);
  const { shape, data }: Tensor = turned ? transposed(read) : read;
  const floats = data as Float32Array;
  const known = stored !== undefined && sameKind(stored, options);
  return { value: known ? stored : quantize({ shape, data: floats }, options, name), floats };
}

/** What the files of an export should hold: the linear weights as their codes stand for them, the others in `dtype`. */
export function asExported(
  { weights, family, config }: Policy,
  quantized: QuantizationOptions | undefined,
  dtype: NumberFormat,
): LazyWeights {
  const layouts = new Map(family.linears(config).map((linear) => [linear.weight, linear.layout]));
  return new LazyWeights({
    names: [...weights.keys()],
    read(name) {
      const layout = layouts.get(name);
      if (quantized === undefined || layout === undefined) return asStored(readWeight(weights, name), dtype);
      const { value } = codesOf(weights, name, layout === 'in,out', quantized);
      const tensor: Tensor = { dtype: 'f32', shape: value.shape, data: dequantize(value) };
      return layout === 'in,out' ? transposed(tensor) : tensor;
    },
  });
}

/** What transformers' BitsAndBytesConfig writes. */
const quantizationConfig = ({ format, doubleQuantization = false }: QuantizationOptions) => ({
  quant_method: 'bitsandbytes',
  load_in_4bit: true,
  load_in_8bit: false,
  bnb_4bit_quant_type: format,
  bnb_4bit_use_double_quant: doubleQuantization,
  bnb_4bit_compute_dtype: 'float32',
  bnb_4bit_quant_storage: 'uint8',
});
