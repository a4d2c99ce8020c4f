/**
 * A quantized weight as the named tensors of a checkpoint, the way bitsandbytes' `Linear4bit` saves it:
 *
 *     NAME                                  U8  [⌈n / 2⌉, 1]   packed codes
 *     NAME.absmax                           F32 [blocks], or U8 [blocks] with double quantization
 *     NAME.quant_map                        F32 [16]           value of each code
 *     NAME.nested_absmax                    F32 [⌈blocks / 256⌉]   with double quantization
 *     NAME.nested_quant_map                 F32 [256]              with double quantization
 *     NAME.quant_state.bitsandbytes__nf4    U8  [bytes]        JSON (`quant-state.ts`)
 *
 * int8 and int4 are kept in the same way under `quant_state.ftc__int8`, a key that bitsandbytes refuses.
 */
import { codeTables, dynamicMap } from './code-tables.ts';
import { readQuantState, writeQuantState } from './quant-state.ts';
import { QuantizationError } from './quantization-error.ts';
import {
  codeBytes,
  elementCount,
  type QuantizationOptions,
  type QuantizedAbsmax,
  type QuantizedFormat,
  type QuantizedTensor,
  quantizedFormats,
} from './quantized-tensor.ts';

export type StoredTensor =
  | { readonly dtype: 'U8'; readonly shape: readonly number[]; readonly data: Uint8Array }
  | { readonly dtype: 'F32'; readonly shape: readonly number[]; readonly data: Float32Array };

const owner: { readonly [F in QuantizedFormat]: 'bitsandbytes' | 'ftc' } = {
  nf4: 'bitsandbytes',
  fp4: 'bitsandbytes',
  int8: 'ftc',
  int4: 'ftc',
};

const stateKey = (format: QuantizedFormat): string => `quant_state.${owner[format]}__${format}`;

const parts = ['absmax', 'quant_map', 'nested_absmax', 'nested_quant_map', ...quantizedFormats.map(stateKey)];

/** Why bitsandbytes cannot load a weight that is quantized so; undefined where it can. */
export function bitsandbytesRefuses({ format, block = 64 }: QuantizationOptions): string | undefined {
  if (owner[format] !== 'bitsandbytes') return `it has no ${format} in blocks, only nf4 and fp4`;
  if (block < 32 || block > 4096) return `its blocks have 32 to 4096 elements, not ${block}`;
  return undefined;
}

/** Quantized weights among the names of a checkpoint, each with the names of its other parts that are there. */
export function quantizedWeights(names: Iterable<string>): Map<string, string[]> {
  const all = new Set(names);
  const weights = new Map<string, string[]>();
  for (const format of quantizedFormats)
    for (const name of all)
      if (name.endsWith(`.${stateKey(format)}`)) {
        const weight = name.slice(0, -stateKey(format).length - 1);
        weights.set(
          weight,
          parts.map((part) => `${weight}.${part}`).filter((part) => all.has(part)),
        );
      }
  return weights;
}

/** The arrays are those of the tensor, not copies. */
export function toBitsandbytes(name: string, tensor: QuantizedTensor): Map<string, StoredTensor> {
  const { format, codes, absmax, table } = tensor;
  const bytes = (data: Uint8Array): StoredTensor => ({ dtype: 'U8', shape: [data.length], data });
  const floats = (data: Float32Array): StoredTensor => ({ dtype: 'F32', shape: [data.length], data });
  const plain = absmax instanceof Float32Array;
  const state: [string, StoredTensor] = [`${name}.${stateKey(format)}`, bytes(writeQuantState(tensor))];
  return new Map<string, StoredTensor>([
    [name, { dtype: 'U8', shape: [codes.length, 1], data: codes }],
    [`${name}.absmax`, plain ? floats(absmax) : bytes(absmax.codes)],
    [`${name}.quant_map`, floats(table)],
    ...(plain
      ? []
      : ([
          [`${name}.nested_absmax`, floats(absmax.absmax)],
          [`${name}.nested_quant_map`, floats(absmax.map)],
        ] as [string, StoredTensor][])),
    state,
  ]);
}

/**
 * The weight `name` out of a checkpoint's tensors, bit for bit: tables and block sizes are the file's. The arrays are not
 * copied, but a table that equals ours is shared.
 * @throws QuantizationError that names the part that is missing, or has a wrong number format, size or value.
 */
export function fromBitsandbytes(name: string, tensors: ReadonlyMap<string, StoredTensor>): QuantizedTensor {
  const format = quantizedFormats.find((each) => tensors.has(`${name}.${stateKey(each)}`));
  const stateName = `${name}.${stateKey(format ?? 'nf4')}`;
  const state = readQuantState(take(tensors, stateName, 'U8'), stateName);
  if (state.format !== format) throw new QuantizationError(`has quant_type "${state.format}"`, stateName);
  const { block, shape, originalType, nested } = state;
  const count = elementCount(shape);
  const blocks = Math.ceil(count / block);
  const codes = take(tensors, name, 'U8', codeBytes(format, count));
  const table = takeTable(tensors, `${name}.quant_map`, codeTables[format]);
  const readNested = (): QuantizedAbsmax => ({
    codes: take(tensors, `${name}.absmax`, 'U8', blocks),
    absmax: take(tensors, `${name}.nested_absmax`, 'F32', Math.ceil(blocks / nested!.block)),
    map: takeTable(tensors, `${name}.nested_quant_map`, dynamicMap),
    ...nested!,
  });
  const absmax = nested === undefined ? take(tensors, `${name}.absmax`, 'F32', blocks) : readNested();
  return { format, shape, block, codes, absmax, table, originalType };
}

interface DataOf {
  readonly U8: Uint8Array;
  readonly F32: Float32Array;
}

/** A part with the right number format and count, free of NaN and infinities. */
function take<D extends keyof DataOf>(
  tensors: ReadonlyMap<string, StoredTensor>,
  name: string,
  dtype: D,
  count?: number,
): DataOf[D] {
  const found = tensors.get(name);
  if (found === undefined) throw new QuantizationError('is missing', name);
  if (found.dtype !== dtype) {
    throw new QuantizationError(`holds ${found.dtype} numbers, not ${dtype}`, name);
  }
  const { data } = found;
  if (count !== undefined && data.length !== count) {
    throw new QuantizationError(`has ${data.length} elements where its quant_state asks for ${count}`, name);
  }
  if (data instanceof Float32Array) {
    const at = data.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) throw new QuantizationError(`is ${data[at]} at [${at}]`, name);
  }
  return data as DataOf[D];
}

/** `ours` where the file's is the same, so that a model's weights share one table. */
function takeTable(
  tensors: ReadonlyMap<string, StoredTensor>,
  name: string,
  ours: Float32Array,
): Float32Array {
  const table = take(tensors, name, 'F32', ours.length);
  return table.every((value, code) => Object.is(value, ours[code])) ? ours : table;
}
