/** Every adjacent pair of symbols with its count and the words it stands in. */
export class PairTable {
  readonly left: number[] = [];
  readonly right: number[] = [];
  readonly count: number[] = [];
  /** Indices of words that held the pair when it was added to them; some may have lost it since. Dropped when merged. */
  readonly words: (readonly number[] | Int32Array | undefined)[] = [];
  private readonly ids = new Map<number, number>();

  find(left: number, right: number): number | undefined {
    return this.ids.get(left * 2 ** 24 + right);
  }

  add(left: number, right: number, count: number, words: readonly number[]): number {
    const id = this.count.length;
    this.ids.set(left * 2 ** 24 + right, id);
    this.left.push(left);
    this.right.push(right);
    this.count.push(count);
    // Exactly as long as needed: there are millions of these lists.
    this.words.push(words.length > 64 ? Int32Array.from(words) : words.slice());
    return id;
  }
}

/**
 * Takes pairs out by count, the largest first, equal counts by left then right symbol. Counts may only fall while a
 * pair waits: a pair that turns out to have fallen is put back at its new place.
 */
export class PairQueue {
  private readonly heap: number[] = [];
  private readonly remembered: number[] = [];
  private readonly table: PairTable;

  constructor(table: PairTable) {
    this.table = table;
  }

  push(pair: number): void {
    this.remembered[pair] = this.table.count[pair]!;
    const { heap } = this;
    let at = heap.push(pair) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.before(pair, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = pair;
  }

  pop(): number | undefined {
    for (;;) {
      const top = this.takeTop();
      if (top === undefined || this.remembered[top] === this.table.count[top]) return top;
      if (this.table.count[top]! > 0) this.push(top);
    }
  }

  private takeTop(): number | undefined {
    const { heap } = this;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.before(heap[child + 1]!, heap[child]!)) child++;
      if (!this.before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return top;
  }

  private before(a: number, b: number): boolean {
    const { left, right } = this.table;
    const difference = this.remembered[a]! - this.remembered[b]!;
    if (difference !== 0) return difference > 0;
    return left[a]! !== left[b]! ? left[a]! < left[b]! : right[a]! < right[b]!;
  }
}
