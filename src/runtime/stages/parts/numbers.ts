/** A typed array that grows: an entry a row takes a few bytes where objects would take dozens. */
type Typed = Int32Array | Float32Array | Float64Array;

const SMALLEST = 256;

export class Numbers<A extends Typed> {
  length = 0;
  private array: A;

  constructor(private readonly kind: { new (size: number): A }) {
    this.array = new kind(SMALLEST);
  }

  push(value: number): void {
    if (this.length === this.array.length) {
      const before = this.array;
      this.array = new this.kind(Math.ceil(this.length * 1.5));
      this.array.set(before);
    }
    this.array[this.length++] = value;
  }

  /** Those so far, not copied. */
  get all(): A {
    return this.array.subarray(0, this.length) as A;
  }
}
