/** Keys and values of the tokens so far, kept outside the graph. B rows, K heads, P capacity, E head size. */
import { MASKED } from '../layers/mask.ts';
import type { ModelShape } from '../models/model.ts';
import type { Tensor } from '../programs/ops.ts';
import { windowIn } from './decoding-programs.ts';

/** All rows are as long as each other: shorter prompts start with padding, which the bias hides. */
export class KeyValueCache {
  /** Tokens held, padding included. */
  length = 0;
  private blocks: { readonly key: Float32Array; readonly value: Float32Array }[];
  private bias: Float32Array;
  /** The same for blocks with a window; undefined where it hides nothing. */
  private windowBias: Float32Array | undefined;

  constructor(
    private readonly shape: ModelShape,
    /** Tokens of padding at the start of each row. */
    private readonly padding: readonly number[],
    /** P */
    public capacity: number,
  ) {
    this.blocks = this.allocate();
    this.bias = this.visible();
    this.windowBias = this.inWindow();
  }

  private allocate() {
    const { blocks, keyValueHeads, headSize } = this.shape;
    const size = this.padding.length * keyValueHeads * this.capacity * headSize;
    return Array.from({ length: blocks }, () => ({
      key: new Float32Array(size),
      value: new Float32Array(size),
    }));
  }

  /** (B, 1, 1, P + 1): the tokens held that are no padding, and the new one. */
  private visible(): Float32Array {
    const columns = this.capacity + 1;
    const bias = new Float32Array(this.padding.length * columns).fill(MASKED);
    this.padding.forEach((first, row) => {
      bias.fill(0, row * columns + first, row * columns + this.length);
      bias[(row + 1) * columns - 1] = 0;
    });
    return bias;
  }

  /** As `visible`, without what the next token, at `length`, looks back at no more. */
  private inWindow(): Float32Array | undefined {
    const window = windowIn(this.shape, this.capacity);
    if (window === undefined) return undefined;
    const bias = this.bias.slice();
    const hidden = Math.max(0, this.length - window + 1);
    const columns = this.capacity + 1;
    for (let row = 0; row < this.padding.length; row++)
      bias.fill(MASKED, row * columns, row * columns + hidden);
    return bias;
  }

  /** Appends `key.i`, `value.i` (B, K, T, E) of a program's outputs. Errors: Error where they do not fit. */
  append(outputs: ReadonlyMap<string, Tensor>, tokens: number): void {
    if (this.length + tokens > this.capacity) {
      throw new Error(`the cache holds ${this.capacity} tokens, not ${this.length + tokens}`);
    }
    const { keyValueHeads, headSize } = this.shape;
    const heads = this.padding.length * keyValueHeads;
    this.blocks.forEach((block, i) => {
      for (const part of ['key', 'value'] as const) {
        const fresh = outputs.get(`${part}.${i}`)!.data as Float32Array;
        for (let head = 0; head < heads; head++) {
          const from = fresh.subarray(head * tokens * headSize, (head + 1) * tokens * headSize);
          block[part].set(from, (head * this.capacity + this.length) * headSize);
        }
      }
    });
    this.length += tokens;
    const columns = this.capacity + 1;
    this.padding.forEach((first, row) => {
      const start = Math.max(first, this.length - tokens);
      this.bias.fill(0, row * columns + start, row * columns + this.length);
    });
    this.windowBias = this.inWindow();
  }

  /** Makes room for `capacity` tokens. */
  grow(capacity: number): void {
    const old = { blocks: this.blocks, capacity: this.capacity };
    const { keyValueHeads, headSize } = this.shape;
    this.capacity = capacity;
    this.blocks = this.allocate();
    this.bias = this.visible();
    this.windowBias = this.inWindow();
    this.blocks.forEach((block, i) => {
      for (const part of ['key', 'value'] as const) {
        for (let head = 0; head < this.padding.length * keyValueHeads; head++) {
          const start = head * old.capacity * headSize;
          const held = old.blocks[i]![part].subarray(start, start + this.length * headSize);
          block[part].set(held, head * capacity * headSize);
        }
      }
    });
  }

  /** `past.key.i`, `past.value.i`, `bias` and `bias.window` of the step program, not copied. */
  feeds(): Map<string, Tensor> {
    const { keyValueHeads, headSize } = this.shape;
    const shape = [this.padding.length, keyValueHeads, this.capacity, headSize];
    const feeds = new Map<string, Tensor>();
    this.blocks.forEach(({ key, value }, i) => {
      feeds.set(`past.key.${i}`, { dtype: 'f32', shape, data: key });
      feeds.set(`past.value.${i}`, { dtype: 'f32', shape, data: value });
    });
    const biases = { bias: this.bias, 'bias.window': this.windowBias };
    for (const [name, data] of Object.entries(biases))
      if (data)
        feeds.set(name, { dtype: 'f32', shape: [this.padding.length, 1, 1, this.capacity + 1], data });
    return feeds;
  }
}
