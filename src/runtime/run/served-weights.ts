/** A model's weights as decoding reads them: as they are, or its matrices in codes. */
import { collectYoung } from '../executables/release.ts';
import type { Tensor } from '../programs/ops.ts';
import type { Program } from '../programs/program.ts';
import { storedNumbers } from '../programs/stored-numbers.ts';
import { dequantizeAbsmax } from '../quantization/double-quantization.ts';
import { quantize } from '../quantization/quantize.ts';
import type { QuantizedTensor } from '../quantization/quantized-tensor.ts';
import { type RowCodes, rowCodeNames, tableCodeNames, weightsInCodes } from '../rewrites/weights-in-codes.ts';
import type { Policy } from '../stages/stage.ts';
import { transposed } from './weights.ts';
import { readWeight } from './written-weights.ts';

/** Formats that products are taken in; those of nf4 and fp4 would be looked up for every token, which is slower than f32. */
export const servedFormats = ['int8', 'int4'] as const;
export type ServedFormat = (typeof servedFormats)[number];

export interface ServedWeights {
  /** What a program reads, by name. */
  readonly frozen: ReadonlyMap<string, Tensor>;
  /** Reads codes where there are some. */
  rewrite(program: Program): Program;
}

type Model = Pick<Policy, 'family' | 'config' | 'weights'>;

/** Those that lie in a file as f32 are left there. */
export function weightsAsTheyAre({ weights }: Model): ServedWeights {
  const widened = (tensor: Tensor): Tensor => {
    const place = storedNumbers(tensor);
    // Else numbers of two bytes would be widened at every token.
    return place === undefined || place.format === 'f32' ? tensor : inMemory(tensor);
  };
  const frozen = new Map([...weights.keys()].map((name) => [name, widened(readWeight(weights, name))]));
  return { frozen, rewrite: (program) => program };
}

const inMemory = (tensor: Tensor): Tensor => ({ ...tensor, data: tensor.data });

/** How a weight is kept: `turned` where it lies (in, out), `table` where rows are picked from it. */
interface Kind {
  readonly format: ServedFormat;
  readonly turned: boolean;
  readonly table: boolean;
}

/**
 * The linear layers in this format, embedding and output layer in int8, tensor by tensor: in memory are the codes and one
 * weight. A row's blocks are its own; weights whose rows are no whole blocks, norms, biases and positions stay as they are.
 */
export function servedInCodes(model: Model, format: ServedFormat): ServedWeights {
  const { weights } = model;
  const kinds = kindsOf(model, format);
  const formats = new Map<string, RowCodes>();
  const frozen = new Map<string, Tensor>();
  let unused = 0;
  for (const name of weights.keys()) {
    const kind = kinds.get(name);
    const value = kind && codesOf(weights, name, kind);
    unused += value?.codes.length ?? 0;
    if (unused > MANY) {
      collectYoung();
      unused = 0;
    }
    if (value === undefined) frozen.set(name, inMemory(readWeight(weights, name)));
    else {
      formats.set(name, value);
      for (const part of partsOf(name, value, kind!.table)) frozen.set(...part);
    }
  }
  return {
    frozen,
    rewrite(program) {
      const { program: inCodes, joined } = weightsInCodes(program, formats);
      for (const group of joined) join(frozen, group);
      return inCodes;
    },
  };
}

/** Puts codes that are read as one matrix into one array, in place of their own. */
function join(frozen: Map<string, Tensor>, weights: readonly string[]): void {
  const whole = rowCodeNames(...weights);
  if (frozen.has(whole.codes)) return;
  for (const part of ['codes', 'absmax'] as const) {
    const arrays = weights.map((weight) => frozen.get(rowCodeNames(weight)[part])!);
    const length = arrays.reduce((sum, { data }) => sum + data.length, 0);
    const { dtype } = arrays[0]!;
    const data = dtype === 'u8' ? new Uint8Array(length) : new Float32Array(length);
    let at = 0;
    for (const array of arrays) {
      data.set(array.data, at);
      at += array.data.length;
    }
    frozen.set(whole[part], { dtype, shape: [length], data });
    for (const weight of weights) frozen.delete(rowCodeNames(weight)[part]);
  }
}

/** Codes made after which the numbers they were made from, eight times as much or four, are let go of. */
const MANY = 4 << 20;

function kindsOf({ family, config }: Model, format: ServedFormat): ReadonlyMap<string, Kind> {
  const linears = family
    .linears(config)
    .map(({ weight, layout }) => [weight, { format, turned: layout === 'in,out', table: false }] as const);
  const [embedding] = family.parameters(config).filter(({ part }) => part === 'embeddings');
  const head = family.head(config);
  const tables = [embedding?.name, head.op === 'parameter' ? head.attributes.name : undefined];
  const ofBytes = tables.flatMap((name) =>
    name === undefined
      ? []
      : [[name, { format: 'int8', turned: false, table: name === embedding?.name }] as const],
  );
  return new Map<string, Kind>([...linears, ...ofBytes]);
}

/** As products read them, and the embedding as a table of rows too: the same arrays. */
function partsOf(name: string, value: QuantizedTensor, table: boolean): [string, Tensor][] {
  const absmax = dequantizeAbsmax(value.absmax);
  const [rows, columns] = value.shape as [number, number];
  const blocks = columns / value.block;
  const both = (names: ReturnType<typeof rowCodeNames>, shapes: readonly [number[], number[]]) => [
    [names.codes, { dtype: 'u8', shape: shapes[0], data: value.codes }] satisfies [string, Tensor],
    [names.absmax, { dtype: 'f32', shape: shapes[1], data: absmax }] satisfies [string, Tensor],
  ];
  const flat = both(rowCodeNames(name), [[value.codes.length], [absmax.length]]);
  if (!table) return flat as [string, Tensor][];
  const asTable = both(tableCodeNames(name), [
    [rows, columns],
    [rows, blocks],
  ]);
  return [...flat, ...asTable] as [string, Tensor][];
}

/** That a weight is quantized in: 32 errs an eighth less than 64, and is as quick. */
const BLOCKS = [32, 16];
/** That the kernel reads. */
const READABLE = [16, 32, 64, 128, 256];

/** Of (outputs, inputs). Codes that lie in the model's file are taken where the kernel can read them. */
function codesOf(
  weights: Policy['weights'],
  name: string,
  { format, turned }: Kind,
): QuantizedTensor | undefined {
  const stored = 'codes' in weights && !turned ? weights.codes(name) : undefined;
  if (stored?.format === format && READABLE.includes(stored.block) && stored.shape[1]! % stored.block === 0)
    return stored;
  const read = readWeight(weights, name);
  const { shape, data }: Tensor = turned ? transposed(read) : read;
  const block = BLOCKS.find((each) => shape[1]! % each === 0);
  return block === undefined
    ? undefined
    : quantize({ shape, data: data as Float32Array }, { format, block }, name);
}
