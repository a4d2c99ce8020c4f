/** Token ids that a stage reads again: in memory while they are few, else in a file that lives as long as the stage. */
import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { bytesOfToken, MOST_BYTES_IN_MEMORY, type TokenStore } from '../stages/tokens.ts';
import { storeError } from '../store/store-error.ts';

type Packed = Uint16Array | Int32Array;

/** Numbers at first, and those that wait to be written. */
const SMALLEST = 2 ** 14;
const PIECE = 2 ** 19;

/**
 * Reading and writing wait for the disk: batches are made between two steps, when nothing else runs, and a call that does
 * not wait costs more than the few kilobytes that it moves.
 */
export class TokenFile implements TokenStore {
  length = 0;
  private file: number | undefined;
  /** Those before are in the file. */
  private written = 0;
  private kept: Packed;

  /** Of numbers from 0 up to `limit`. The file is made at `path` where it is needed. */
  constructor(
    private readonly path: string,
    private readonly limit: number,
    private readonly mostInMemory: number = MOST_BYTES_IN_MEMORY,
  ) {
    const fitting = Math.floor(mostInMemory / bytesOfToken(limit));
    this.kept = this.room(Math.max(1, Math.min(SMALLEST, fitting)));
  }

  get inMemory(): boolean {
    return this.file === undefined;
  }

  append(ids: ArrayLike<number>): void {
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (!(id >= 0 && id < this.limit)) throw new RangeError(`${id} is no token of ${this.limit}`);
      if (this.length - this.written === this.kept.length) this.makeRoom();
      this.kept[this.length++ - this.written] = id;
    }
  }

  subarray(from: number, to: number): Int32Array {
    const end = Math.min(to, this.length);
    if (from >= end) return new Int32Array();
    if (from >= this.written)
      return new Int32Array(this.kept.subarray(from - this.written, end - this.written));
    const found = new Int32Array(end - from);
    found.set(this.fromFile(from, Math.min(end, this.written)));
    if (end > this.written) found.set(this.kept.subarray(0, end - this.written), this.written - from);
    return found;
  }

  async close(): Promise<void> {
    if (this.file === undefined) return;
    closeSync(this.file);
    rmSync(this.path, { force: true });
  }

  private room(count: number): Packed {
    return bytesOfToken(this.limit) === 2 ? new Uint16Array(count) : new Int32Array(count);
  }

  private makeRoom(): void {
    const doubled = 2 * this.kept.length;
    if (this.file === undefined && doubled * this.kept.BYTES_PER_ELEMENT <= this.mostInMemory) {
      const before = this.kept;
      this.kept = this.room(doubled);
      this.kept.set(before);
      return;
    }
    this.write();
    if (this.kept.length > PIECE) this.kept = this.room(PIECE);
  }

  private write(): void {
    const { buffer, byteLength, BYTES_PER_ELEMENT } = this.kept;
    const bytes = new Uint8Array(buffer, 0, byteLength);
    try {
      if (this.file === undefined) {
        mkdirSync(dirname(this.path), { recursive: true });
        this.file = openSync(this.path, 'w+');
      }
      for (let done = 0; done < byteLength; )
        done += writeSync(this.file, bytes, done, byteLength - done, this.written * BYTES_PER_ELEMENT + done);
    } catch (error) {
      throw storeError(error, this.path);
    }
    this.written = this.length;
  }

  private fromFile(from: number, to: number): Packed {
    const found = this.room(to - from);
    const { buffer, byteLength, BYTES_PER_ELEMENT } = found;
    const bytes = new Uint8Array(buffer, 0, byteLength);
    for (let done = 0; done < byteLength; ) {
      const count = readSync(this.file!, bytes, done, byteLength - done, from * BYTES_PER_ELEMENT + done);
      if (count === 0) throw new Error(`${this.path} is shorter than it was written`);
      done += count;
    }
    return found;
  }
}
