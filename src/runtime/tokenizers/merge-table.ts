/** Byte-pair merging over ids: always the pair that was learned first, the leftmost of equals. */
const NEVER = 2 ** 31 - 1;
/** Above this length a heap is faster than looking at every pair. */
const MAX_SCANNED = 160;

export class MergeTable {
  /** left × 2²⁴ + right → rank */
  private readonly ranks = new Map<number, number>();
  private readonly made: number[] = [];

  /** A pair that is added twice counts at its last place. */
  add(left: number, right: number, made: number): void {
    this.ranks.set(left * 2 ** 24 + right, this.made.length);
    this.made.push(made);
  }

  /** Merges in place. */
  merge(ids: number[]): number[] {
    return ids.length > MAX_SCANNED ? this.mergeLong(ids) : this.mergeShort(ids);
  }

  private rankOf(left: number, right: number): number {
    return this.ranks.get(left * 2 ** 24 + right) ?? NEVER;
  }

  private mergeShort(ids: number[]): number[] {
    const rank = ids.map((id, i) => (i + 1 < ids.length ? this.rankOf(id, ids[i + 1]!) : NEVER));
    for (;;) {
      let best = NEVER;
      let at = -1;
      for (let i = 0; i < rank.length; i++) {
        if (rank[i]! < best) {
          best = rank[i]!;
          at = i;
        }
      }
      if (at < 0) return ids;
      ids[at] = this.made[best]!;
      ids.splice(at + 1, 1);
      rank.splice(at + 1, 1);
      rank[at] = at + 1 < ids.length ? this.rankOf(ids[at]!, ids[at + 1]!) : NEVER;
      if (at > 0) rank[at - 1] = this.rankOf(ids[at - 1]!, ids[at]!);
    }
  }

  /** The same with a list of neighbours and a heap of pairs; pairs that are gone are skipped when they come up. */
  private mergeLong(ids: number[]): number[] {
    const count = ids.length;
    const next = Int32Array.from({ length: count }, (_, i) => (i + 1 < count ? i + 1 : -1));
    const previous = Int32Array.from({ length: count }, (_, i) => i - 1);
    const queue = new PairHeap();
    const offer = (at: number) => {
      const right = at < 0 ? -1 : next[at]!;
      const rank = right < 0 ? NEVER : this.rankOf(ids[at]!, ids[right]!);
      if (rank !== NEVER) queue.push(rank, at);
    };
    for (let i = 0; i + 1 < count; i++) offer(i);
    for (let pair = queue.pop(); pair !== undefined; pair = queue.pop()) {
      const { rank, at } = pair;
      const right = next[at]!;
      if (ids[at] === -1 || right < 0 || this.rankOf(ids[at]!, ids[right]!) !== rank) continue;
      ids[at] = this.made[rank]!;
      ids[right] = -1;
      next[at] = next[right]!;
      if (next[at]! >= 0) previous[next[at]!] = at;
      offer(previous[at]!);
      offer(at);
    }
    return ids.filter((id) => id !== -1);
  }
}

/** Pairs by rank, then by place, as one number each: rank × 2²⁶ + place. */
class PairHeap {
  private readonly heap: number[] = [];

  push(rank: number, at: number): void {
    const key = rank * 2 ** 26 + at;
    const { heap } = this;
    let hole = heap.push(key) - 1;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (heap[parent]! <= key) break;
      heap[hole] = heap[parent]!;
      hole = parent;
    }
    heap[hole] = key;
  }

  pop(): { readonly rank: number; readonly at: number } | undefined {
    const { heap } = this;
    const top = heap[0];
    if (top === undefined) return undefined;
    const last = heap.pop()!;
    if (heap.length > 0) this.sink(last);
    return { rank: Math.floor(top / 2 ** 26), at: top % 2 ** 26 };
  }

  private sink(key: number): void {
    const { heap } = this;
    let hole = 0;
    for (let child = 1; child < heap.length; child = 2 * hole + 1) {
      if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= key) break;
      heap[hole] = heap[child]!;
      hole = child;
    }
    heap[hole] = key;
  }
}
