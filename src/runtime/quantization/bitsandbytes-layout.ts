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
import { QUANTIZE_AGAIN, type QuantState, readQuantState, writeQuantState } from './quant-state.ts';
import { QuantizationError } from './quantization-error.ts';
import {
  codeBytes,
  elementCount,
  type QuantizationOptions,
  type QuantizedFormat,
  type QuantizedTensor,
  quantizedFormats,
} from './quantized-tensor.ts';

export type StoredTensor =
  | { readonly dtype: 'U8'; readonly shape: readonly number[]; readonly data: Uint8Array }
  | { readonly dtype: 'F32'; readonly shape: readonly number[]; readonly data: Float32Array };

/** Number format and count of a tensor, as the header of its file has them. */
export interface PartSize {
  readonly dtype: string;
  readonly count: number;
}

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

/** Weights that have an absmax beside them, and no quant_state to say what their codes mean. */
export function weightsWithoutState(names: Iterable<string>): string[] {
  const all = new Set(names);
  const known = quantizedWeights(all);
  return [...all].filter((name) => all.has(`${name}.absmax`) && !known.has(name));
}

/**
 * The quant_state of the weight `name`, held to the sizes of its other parts.
 * @param sizeOf Of a tensor that is there.
 * @throws QuantizationError as `fromBitsandbytes`, but for values
 */
export function checkedState(
  name: string,
  { stateName, bytes }: { readonly stateName: string; readonly bytes: Uint8Array },
  sizeOf: (part: string) => PartSize | undefined,
): QuantState {
  const state = readQuantState(bytes, stateName);
  if (!stateName.endsWith(`.${stateKey(state.format)}`))
    throw new QuantizationError(`has quant_type "${state.format}"`, stateName, [QUANTIZE_AGAIN]);
  for (const [part, wanted] of sizesOfParts(name, state)) checkSize(part, wanted, sizeOf(part));
  return state;
}

function sizesOfParts(name: string, { format, block, shape, nested }: QuantState): Map<string, PartSize> {
  const count = elementCount(shape);
  const blocks = Math.ceil(count / block);
  const ofNested: [string, PartSize][] =
    nested === undefined
      ? []
      : [
          [`${name}.nested_absmax`, { dtype: 'F32', count: Math.ceil(blocks / nested.block) }],
          [`${name}.nested_quant_map`, { dtype: 'F32', count: dynamicMap.length }],
        ];
  return new Map<string, PartSize>([
    [name, { dtype: 'U8', count: codeBytes(format, count) }],
    [`${name}.quant_map`, { dtype: 'F32', count: codeTables[format].length }],
    [`${name}.absmax`, { dtype: nested === undefined ? 'F32' : 'U8', count: blocks }],
    ...ofNested,
  ]);
}

function checkSize(name: string, wanted: PartSize, found: PartSize | undefined): void {
  const problem =
    found === undefined
      ? 'is missing'
      : found.dtype !== wanted.dtype
        ? `holds ${found.dtype} numbers, not ${wanted.dtype}`
        : found.count !== wanted.count
          ? `has ${found.count} elements where its quant_state asks for ${wanted.count}`
          : undefined;
  if (problem !== undefined) throw new QuantizationError(problem, name, [QUANTIZE_AGAIN]);
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
  const bytes = bytesOf(tensors, stateName);
  const { nested, ...state } = checkedState(name, { stateName, bytes }, (part) => {
    const found = tensors.get(part);
    return found && { dtype: found.dtype, count: found.data.length };
  });
  const table = tableOf(tensors, `${name}.quant_map`, codeTables[state.format]);
  const absmax =
    nested === undefined
      ? floatsOf(tensors, `${name}.absmax`)
      : {
          codes: bytesOf(tensors, `${name}.absmax`),
          absmax: floatsOf(tensors, `${name}.nested_absmax`),
          map: tableOf(tensors, `${name}.nested_quant_map`, dynamicMap),
          ...nested,
        };
  return { ...state, codes: bytesOf(tensors, name), absmax, table };
}

function bytesOf(tensors: ReadonlyMap<string, StoredTensor>, name: string): Uint8Array {
  const found = tensors.get(name);
  if (found?.dtype === 'U8') return found.data;
  const message = found === undefined ? 'is missing' : `holds ${found.dtype} numbers, not U8`;
  throw new QuantizationError(message, name, [QUANTIZE_AGAIN]);
}

/** Free of NaN and infinities. */
function floatsOf(tensors: ReadonlyMap<string, StoredTensor>, name: string): Float32Array {
  const data = tensors.get(name)!.data as Float32Array;
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return data;
  throw new QuantizationError(`is ${data[at]} at [${at}]`, name, [QUANTIZE_AGAIN]);
}

/** `ours` where the file's is the same, so that a model's weights share one table. */
function tableOf(tensors: ReadonlyMap<string, StoredTensor>, name: string, ours: Float32Array): Float32Array {
  const table = floatsOf(tensors, name);
  return table.every((value, code) => Object.is(value, ours[code])) ? ours : table;
}
