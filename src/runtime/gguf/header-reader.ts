/** Reads the header of a GGUF file field by field. Every length is held against what is left of the file before it is read. */
import { readSync } from 'node:fs';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import { type ElementType, type GgufValue, LEAST_BYTES, type Scalar, VALUE_TYPES } from './metadata.ts';

const WINDOW_BYTES = 1 << 20;
/** The largest vocabularies have 300,000 tokens and as many merges. */
const MOST_ELEMENTS = 1 << 23;
const LONGEST_TEXT = 1 << 24;

export class HeaderReader {
  private window = Buffer.alloc(0);
  /** In the file, of the window's first byte. */
  private start = 0;
  private at = 0;
  private elements = 0;
  private textBytes = 0;

  constructor(
    private readonly path: string,
    private readonly file: number,
    private readonly size: number,
  ) {}

  get position(): number {
    return this.start + this.at;
  }

  get left(): number {
    return this.size - this.position;
  }

  error(message: string): CheckpointError {
    return new CheckpointError(this.path, message);
  }

  /** Of fewer than 16 MiB. */
  bytes(count: number): Buffer {
    if (count > this.left) throw this.error('the file ends inside its header');
    if (this.at + count > this.window.length) this.fill(count);
    this.at += count;
    return this.window.subarray(this.at - count, this.at);
  }

  private fill(count: number): void {
    const start = this.position;
    const window = Buffer.alloc(Math.min(this.size - start, Math.max(count, WINDOW_BYTES)));
    for (let done = 0; done < window.length; ) {
      const read = readSync(this.file, window, done, window.length - done, start + done);
      if (read === 0) throw this.error('the file ends inside its header');
      done += read;
    }
    [this.window, this.start, this.at] = [window, start, 0];
  }

  u32(): number {
    return this.bytes(4).readUInt32LE();
  }

  /** A number of things, each of which takes `least` bytes or more. */
  count(what: string, least: number): number {
    const count = this.bytes(8).readBigUInt64LE();
    if (count > BigInt(Math.floor(this.left / least)))
      throw this.error(`names ${count} ${what}, more than it has room for`);
    return Number(count);
  }

  /** A u64 below 2^53. */
  size64(what: string): number {
    const value = this.bytes(8).readBigUInt64LE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.error(`${what} is ${value}`);
    return Number(value);
  }

  text(): string {
    const length = this.count('bytes of a text', 1);
    this.textBytes += length;
    if (length > LONGEST_TEXT || this.textBytes > 8 * LONGEST_TEXT)
      throw this.error(
        `has texts of more than ${length > LONGEST_TEXT ? LONGEST_TEXT : 8 * LONGEST_TEXT} bytes`,
      );
    return this.bytes(length).toString('utf8');
  }

  value(key: string): GgufValue {
    const type = this.type(key);
    if (type !== 'array') return { type, value: this.scalar(type) };
    const of = this.type(key);
    if (of === 'array') throw this.error(`${key} is a list of lists, which ftc does not read`);
    const count = this.count(`elements of ${key}`, LEAST_BYTES[of]);
    this.elements += count;
    if (this.elements > MOST_ELEMENTS) throw this.error(`has lists of more than ${MOST_ELEMENTS} elements`);
    return { type, of, value: Array.from({ length: count }, () => this.scalar(of)) };
  }

  private type(key: string): (typeof VALUE_TYPES)[number] {
    const number = this.u32();
    const type = VALUE_TYPES[number];
    if (type === undefined) throw this.error(`${key} has the type ${number}, which GGUF does not have`);
    return type;
  }

  private scalar(type: ElementType): Scalar {
    return type === 'string' ? this.text() : READ[type](this.bytes(LEAST_BYTES[type]));
  }
}

const READ: { readonly [K in Exclude<ElementType, 'string'>]: (bytes: Buffer) => Scalar } = {
  u8: (bytes) => bytes.readUInt8(),
  i8: (bytes) => bytes.readInt8(),
  u16: (bytes) => bytes.readUInt16LE(),
  i16: (bytes) => bytes.readInt16LE(),
  u32: (bytes) => bytes.readUInt32LE(),
  i32: (bytes) => bytes.readInt32LE(),
  f32: (bytes) => bytes.readFloatLE(),
  bool: (bytes) => bytes.readUInt8() !== 0,
  u64: (bytes) => bytes.readBigUInt64LE(),
  i64: (bytes) => bytes.readBigInt64LE(),
  f64: (bytes) => bytes.readDoubleLE(),
};
