/** Weights that are read when they are first asked for. */
import type { Tensor } from '../programs/ops.ts';
import type { QuantizedTensor } from '../quantization/quantized-tensor.ts';
import type { CodesAndAdapters, Weights } from './stage.ts';

interface Source {
  readonly names: readonly string[];
  /** `keep`: it will be kept, so a tensor that others have too is one of theirs. */
  read(name: string, keep: boolean): Tensor;
  codes?(name: string): QuantizedTensor | undefined;
  beside?(name: string): CodesAndAdapters | undefined;
}

export class LazyWeights implements Weights {
  private readonly kept = new Map<string, Tensor>();
  private readonly names: ReadonlySet<string>;

  constructor(private readonly source: Source) {
    this.names = new Set(source.names);
  }

  get size(): number {
    return this.names.size;
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  get(name: string): Tensor | undefined {
    if (!this.names.has(name)) return undefined;
    const tensor = this.kept.get(name) ?? this.source.read(name, true);
    this.kept.set(name, tensor);
    return tensor;
  }

  read(name: string): Tensor {
    return this.kept.get(name) ?? this.source.read(name, false);
  }

  codes(name: string): QuantizedTensor | undefined {
    return this.source.codes?.(name);
  }

  beside(name: string): CodesAndAdapters | undefined {
    return this.source.beside?.(name);
  }

  /** The same weights, none of them kept by reading it. */
  unkept(): ReadonlyMap<string, Tensor> {
    const view = new LazyWeights({ names: [...this.names], read: (name) => this.read(name) });
    view.get = (name) => (this.has(name) ? this.read(name) : undefined);
    return view;
  }

  without(name: string): LazyWeights {
    const { source } = this;
    return new LazyWeights({ ...source, names: source.names.filter((other) => other !== name) });
  }

  keys(): SetIterator<string> {
    return this.names.keys();
  }

  *entries(): MapIterator<[string, Tensor]> {
    for (const name of this.names) yield [name, this.get(name)!];
    return undefined;
  }

  *values(): MapIterator<Tensor> {
    for (const [, tensor] of this.entries()) yield tensor;
    return undefined;
  }

  [Symbol.iterator](): MapIterator<[string, Tensor]> {
    return this.entries();
  }

  forEach(visit: (tensor: Tensor, name: string, map: ReadonlyMap<string, Tensor>) => void): void {
    for (const [name, tensor] of this.entries()) visit(tensor, name, this);
  }
}
