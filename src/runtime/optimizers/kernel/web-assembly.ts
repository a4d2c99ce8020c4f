/** As much of WebAssembly's binary format as a loop over vectors of numbers needs. @see https://webassembly.github.io/spec/core/binary */

/** Node has it; the types of the language alone do not. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly [room: string]: { readonly [name: string]: object } },
  ) => { readonly exports: { readonly [name: string]: unknown } };
};

export type Code = readonly number[];

/** LEB128. */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  do {
    const byte = rest & 127;
    rest >>>= 7;
    bytes.push(rest === 0 ? byte : byte | 128);
  } while (rest !== 0);
  return bytes;
}

const simd = (code: number): Code => [0xfd, ...unsigned(code)];
/** Of loads and stores: alignment, as a power of two, and offset. */
const at = (alignment: number, offset: number): Code => [...unsigned(alignment), ...unsigned(offset)];

/** Instructions. Addresses are on the stack, offsets are added to them. */
export const instruction = {
  get: (local: number): Code => [0x20, ...unsigned(local)],
  set: (local: number): Code => [0x21, ...unsigned(local)],
  tee: (local: number): Code => [0x22, ...unsigned(local)],
  /** Below 64. */
  integer: (value: number): Code => [0x41, value],
  addIntegers: [0x6a] as Code,
  isBelow: [0x49] as Code,
  loop: [0x03, 0x40] as Code,
  repeatIf: [0x0d, 0] as Code,
  end: [0x0b] as Code,
  /** All lanes, as they are. */
  storeVector: (offset: number): Code => [...simd(0x0b), ...at(3, offset)],
  and: simd(0x4e),
} as const;

/** What works on a vector of 16 bytes, as numbers of one precision. */
export interface Lanes {
  readonly count: number;
  /** One number, of this precision, into all lanes. */
  loadIntoAll(offset: number): Code;
  /** As many floats as there are lanes. */
  loadFloats(offset: number): Code;
  storeFloats(offset: number): Code;
  constant(value: number): Code;
  readonly add: Code;
  readonly subtract: Code;
  readonly multiply: Code;
  readonly divide: Code;
  readonly squareRoot: Code;
  readonly isLess: Code;
  readonly isGreater: Code;
}

const constant = (numbers: ArrayLike<number> & ArrayBufferView<ArrayBuffer>): Code => [
  ...simd(12),
  ...new Uint8Array(numbers.buffer),
];

export const singles: Lanes = {
  count: 4,
  loadIntoAll: (offset) => [...simd(0x09), ...at(2, offset)],
  loadFloats: (offset) => [...simd(0x00), ...at(3, offset)],
  storeFloats: instruction.storeVector,
  constant: (value) => constant(new Float32Array(4).fill(value)),
  add: simd(0xe4),
  subtract: simd(0xe5),
  multiply: simd(0xe6),
  divide: simd(0xe7),
  squareRoot: simd(0xe3),
  isLess: simd(0x43),
  isGreater: simd(0x44),
};

/** Floats are widened when they are loaded, and rounded when they are stored. */
export const doubles: Lanes = {
  count: 2,
  loadIntoAll: (offset) => [...simd(0x0a), ...at(3, offset)],
  loadFloats: (offset) => [...simd(0x5d), ...at(3, offset), ...simd(0x5f)],
  storeFloats: (offset) => [...simd(0x5e), ...simd(0x5b), ...at(3, offset), 0],
  constant: (value) => constant(new Float64Array(2).fill(value)),
  add: simd(0xf0),
  subtract: simd(0xf1),
  multiply: simd(0xf2),
  divide: simd(0xf3),
  squareRoot: simd(0xef),
  isLess: simd(0x49),
  isGreater: simd(0x4a),
};

const PAGE_BYTES = 65_536;
const INTEGER = 0x7f;
const VECTOR = 0x7b;

const vector = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const section = (id: number, body: Code): Code => [id, ...unsigned(body.length), ...body];
const name = (text: string): Code => vector([...text].map((letter) => [letter.charCodeAt(0)]));

export interface LoopFunction {
  /** Memory of its own; never grows, so views of it stay. */
  readonly buffer: ArrayBuffer;
  run(argument: number): void;
}

/** A function of one integer (local 0), with `integers` more integer locals and then `vectors` locals of 16 bytes. */
export function loopFunction(
  code: Code,
  { integers, vectors, memoryBytes }: { integers: number; vectors: number; memoryBytes: number },
): LoopFunction {
  const locals = vector([
    [...unsigned(integers), INTEGER],
    [...unsigned(vectors), VECTOR],
  ]);
  const body = [...locals, ...code, ...instruction.end];
  const bytes = Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([[0x60, ...vector([[INTEGER]]), ...vector([])]])),
    ...section(2, vector([[...name('at'), ...name('memory'), 2, 0, 1]])),
    ...section(3, vector([[0]])),
    ...section(7, vector([[...name('run'), 0, 0]])),
    ...section(10, vector([[...unsigned(body.length), ...body]])),
  ]);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(memoryBytes / PAGE_BYTES) });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { at: { memory } });
  return { buffer: memory.buffer, run: exports.run as (argument: number) => void };
}
