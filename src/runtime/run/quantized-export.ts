/** A whole model in four bits, as transformers with bitsandbytes loads it. */
import type { WrittenTensor } from '../checkpoints/safetensors.ts';
import type { ModelConfig } from '../models/model.ts';
import type { Shape, Tensor } from '../programs/ops.ts';
import { bitsandbytesRefuses, toBitsandbytes } from '../quantization/bitsandbytes-layout.ts';
import { dequantize } from '../quantization/dequantize.ts';
import { quantize } from '../quantization/quantize.ts';
import { quantizedBytes } from '../quantization/quantized-bytes.ts';
import { type QuantizationOptions, sameKind } from '../quantization/quantized-tensor.ts';
import { type Policy, StageError } from '../stages/stage.ts';
import { transposed } from './weights.ts';

export interface QuantizedExport {
  readonly tensors: ReadonlyMap<string, WrittenTensor>;
  readonly config: ModelConfig;
  /** Bits a weight, and how far the values moved. */
  readonly note: string;
}

/** One weight, read when its turn to be written is. */
export function bytesOfTensor(weights: Policy['weights'], name: string, shape: Shape): WrittenTensor {
  return {
    dtype: 'f32',
    shape,
    async *chunks() {
      const { data } = 'read' in weights ? weights.read(name) : weights.get(name)!;
      yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    },
  };
}

/**
 * The linear weights of the blocks in codes, everything else in f32. GPT-2's weights, (in, out), are turned first, as
 * bitsandbytes does. Errors: StageError where bitsandbytes has no such format.
 */
export function quantizedExport(policy: Policy, options: QuantizationOptions): QuantizedExport {
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
    if (layout === undefined) tensors.set(name, bytesOfTensor(weights, name, shapes.get(name)!));
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

/** Codes that lie in the policy's file already are written as they are. */
function inCodes(
  { weights }: Policy,
  name: string,
  turned: boolean,
  options: QuantizationOptions,
  sums: Sums,
): [string, WrittenTensor][] {
  const stored = 'codes' in weights ? weights.codes(name) : undefined;
  const read = 'read' in weights ? weights.read(name) : weights.get(name)!;
  const { shape, data }: Tensor = turned ? transposed(read) : read;
  const floats = data as Float32Array;
  const value =
    stored !== undefined && sameKind(stored, options)
      ? stored
      : quantize({ shape, data: floats }, options, name);
  const again = dequantize(value);
  for (let i = 0; i < floats.length; i++) {
    sums.error += (again[i]! - floats[i]!) ** 2;
    sums.square += floats[i]! ** 2;
  }
  sums.bytes += quantizedBytes(shape, options);
  sums.count += floats.length;
  return [...toBitsandbytes(name, value)].map(([part, { dtype, shape: size, data: bytes }]) => [
    part,
    dtype === 'U8' ? { dtype: 'u8', shape: size, data: bytes } : { dtype: 'f32', shape: size, data: bytes },
  ]);
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
