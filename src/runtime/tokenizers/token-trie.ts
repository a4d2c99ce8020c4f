/** Texts by their beginnings. One map for all edges: half a million nodes take about 30 MB. */
export class TokenTrie {
  /** node × 2¹⁶ + UTF-16 unit → node */
  private readonly edges = new Map<number, number>();
  /** By node: what was added with the text that ends there, or -1. */
  private readonly values: number[] = [-1];

  /** Number of nodes, the root included. */
  get size(): number {
    return this.values.length;
  }

  /** The first value stays where a text is added twice. */
  add(text: string, value: number): void {
    let node = 0;
    for (let i = 0; i < text.length; i++) {
      const key = node * 65536 + text.charCodeAt(i);
      let next = this.edges.get(key);
      if (next === undefined) {
        next = this.values.push(-1) - 1;
        this.edges.set(key, next);
      }
      node = next;
    }
    if (this.values[node] === -1) this.values[node] = value;
  }

  /** Calls `found` with the end and the value of every text that stands at `start`, the shortest first. */
  each(text: string, start: number, found: (end: number, value: number) => void): void {
    let node: number | undefined = 0;
    for (let i = start; i < text.length; i++) {
      node = this.edges.get(node * 65536 + text.charCodeAt(i));
      if (node === undefined) return;
      const value = this.values[node]!;
      if (value !== -1) found(i + 1, value);
    }
  }
}
