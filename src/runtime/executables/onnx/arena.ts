/**
 * onnxruntime's arena in numbers: which of its pages a run touches. It takes regions from the system, each twice as large
 * as the one before, and gives none back; pages of a region that no value ever lay on cost no memory. Free chunks are
 * taken smallest first, split where at least half would be left over, and joined with free neighbours.
 */

const ALIGNMENT = 256;
const PAGE = 4096;
const FIRST_REGION = 1 << 20;
const LARGEST_GROWTH = 1 << 30;
/** A chunk with this much left over is split even where less than half of it is left. */
const MOST_WASTE = 1 << 27;

export interface Chunk {
  readonly region: number;
  /** From the start of its region. */
  readonly start: number;
  size: number;
  used: boolean;
  before: Chunk | undefined;
  after: Chunk | undefined;
}

export class Arena {
  private readonly chunks = new Set<Chunk>();
  /** First and last page of everything that was ever asked for, by region. */
  private readonly touched: [number, number][][] = [];
  private growth = FIRST_REGION;

  allocate(bytes: number): Chunk {
    const size = ALIGNMENT * Math.ceil(Math.max(1, bytes) / ALIGNMENT);
    const chunk = this.smallest(size) ?? this.extend(size);
    if (chunk.size >= 2 * size || chunk.size - size >= MOST_WASTE) this.split(chunk, size);
    chunk.used = true;
    const pages: [number, number] = [Math.floor(chunk.start / PAGE), Math.ceil((chunk.start + bytes) / PAGE)];
    this.touched[chunk.region]!.push(pages);
    return chunk;
  }

  free(chunk: Chunk): void {
    chunk.used = false;
    if (chunk.after && !chunk.after.used) this.join(chunk, chunk.after);
    if (chunk.before && !chunk.before.used) this.join(chunk.before, chunk);
  }

  /** Bytes of the pages that values lay on so far. */
  get touchedBytes(): number {
    return this.touched.reduce((total, pages) => total + PAGE * covered(pages), 0);
  }

  private smallest(size: number): Chunk | undefined {
    let best: Chunk | undefined;
    for (const chunk of this.chunks)
      if (!chunk.used && chunk.size >= size && (best === undefined || isBetter(chunk, best))) best = chunk;
    return best;
  }

  private extend(size: number): Chunk {
    const before = this.growth;
    while (size > this.growth) this.growth *= 2;
    const chunk: Chunk = {
      region: this.touched.length,
      start: 0,
      size: this.growth,
      used: false,
      before: undefined,
      after: undefined,
    };
    if (this.growth === before) this.growth = Math.min(2 * this.growth, Math.max(LARGEST_GROWTH, before));
    this.touched.push([]);
    this.chunks.add(chunk);
    return chunk;
  }

  private split(chunk: Chunk, size: number): void {
    const rest: Chunk = {
      region: chunk.region,
      start: chunk.start + size,
      size: chunk.size - size,
      used: false,
      before: chunk,
      after: chunk.after,
    };
    if (chunk.after) chunk.after.before = rest;
    chunk.after = rest;
    chunk.size = size;
    this.chunks.add(rest);
  }

  private join(chunk: Chunk, next: Chunk): void {
    chunk.size += next.size;
    chunk.after = next.after;
    if (next.after) next.after.before = chunk;
    this.chunks.delete(next);
  }
}

const isBetter = (a: Chunk, b: Chunk): boolean =>
  a.size !== b.size ? a.size < b.size : a.region !== b.region ? a.region > b.region : a.start < b.start;

/** Pages in the union of spans. */
function covered(spans: readonly (readonly [number, number])[]): number {
  let end = 0;
  let count = 0;
  for (const [first, last] of [...spans].sort((a, b) => a[0] - b[0])) {
    const from = Math.max(first, end);
    if (last > from) {
      count += last - from;
      end = last;
    }
  }
  return count;
}
