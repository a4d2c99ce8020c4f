/** The JSON that says what the numbers beside a packed weight mean, as Python's `json.dumps` writes it. */
import { QuantizationError } from './quantization-error.ts';
import {
  blockProblem,
  NESTED_BLOCK,
  type OriginalType,
  type QuantizedFormat,
  type QuantizedTensor,
  quantizedFormats,
} from './quantized-tensor.ts';

export interface QuantState {
  readonly format: QuantizedFormat;
  readonly block: number;
  readonly originalType: OriginalType;
  readonly shape: readonly number[];
  /** With double quantization. */
  readonly nested: { readonly block: number; readonly offset: number } | undefined;
}

const POWER_OF_TWO = ', where a power of two is read (64 is usual)';

/** The way out of what is wrong with codes in a file. */
export const QUANTIZE_AGAIN =
  'quantize the model again, or take it as it was before: `qlora` and `precision=int8` keep it small in memory';

const originalTypes: readonly string[] = ['float32', 'float16', 'bfloat16'] satisfies OriginalType[];

/** UTF-8, the same bytes that bitsandbytes writes for the same tensor. */
export function writeQuantState(tensor: QuantizedTensor): Uint8Array {
  const { format, block, originalType, shape, absmax } = tensor;
  const nested =
    absmax instanceof Float32Array
      ? []
      : [
          `"nested_blocksize": ${absmax.block}`,
          '"nested_dtype": "float32"',
          `"nested_offset": ${pythonFloat(absmax.offset)}`,
        ];
  const fields = [
    `"quant_type": "${format}"`,
    `"blocksize": ${block}`,
    `"dtype": "${originalType}"`,
    `"shape": [${shape.join(', ')}]`,
    ...nested,
  ];
  return new TextEncoder().encode(`{${fields.join(', ')}}`);
}

/**
 * @param name Of the tensor that holds the JSON, for errors.
 * @throws QuantizationError where it is no JSON, or a field is absent or makes no sense.
 */
export function readQuantState(bytes: Uint8Array, name: string): QuantState {
  const fail = (message: string): never => {
    throw new QuantizationError(message, name, [QUANTIZE_AGAIN]);
  };
  const state = parse(bytes) ?? fail('is not a JSON object');
  const field = <T>(key: string, fits: (value: unknown) => value is T, wanted = ''): T => {
    const value = state[key];
    return fits(value) ? value : fail(`has ${key} ${JSON.stringify(value) ?? 'missing'}${wanted}`);
  };
  const block = field('blocksize', isBlock, POWER_OF_TWO);
  const nested = 'nested_offset' in state || 'nested_blocksize' in state;
  return {
    format: field('quant_type', isFormat),
    block,
    originalType: field('dtype', isOriginalType),
    shape: field('shape', isShape),
    nested: nested
      ? {
          block:
            'nested_blocksize' in state ? field('nested_blocksize', isBlock, POWER_OF_TWO) : NESTED_BLOCK,
          offset: Math.fround(field('nested_offset', isFiniteNumber)),
        }
      : undefined,
  };
}

function parse(bytes: Uint8Array): { readonly [key: string]: unknown } | undefined {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : undefined;
  } catch {
    return undefined;
  }
}

const isFiniteNumber = (value: unknown): value is number => Number.isFinite(value);
const isBlock = (value: unknown): value is number =>
  typeof value === 'number' && blockProblem(value) === undefined;
const isFormat = (value: unknown): value is QuantizedFormat =>
  quantizedFormats.some((format) => format === value);
const isOriginalType = (value: unknown): value is OriginalType =>
  typeof value === 'string' && originalTypes.includes(value);
const isShape = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);

/** The shortest digits that give the number, in Python's dress: `0.0001`, `1e-05`, `2.0`. */
function pythonFloat(value: number): string {
  const [digits, exponent] = value.toExponential().split('e') as [string, string];
  const power = Number(exponent);
  if (power < -4 || power >= 16) {
    return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  const text = Object.is(value, -0) ? '-0' : String(value);
  return text.includes('.') ? text : `${text}.0`;
}
