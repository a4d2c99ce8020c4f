/** An ONNX graph under construction: lowering rules append nodes and name values through it. */
import type { DType, OpAttributes, Shape, Tensor, TensorData } from '../../programs/ops.ts';
import type { OnnxAttribute, OnnxInitializer, OnnxNode } from './protobuf.ts';
import { factorsOf, type SizeName, type SymbolicSizes } from './symbolic-sizes.ts';

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  /** `com.microsoft` for onnxruntime's own operators. */
  readonly domain?: string;
}

/** Operands of a `dequantize`, by name. */
export interface QuantizedValue extends Readonly<OpAttributes['dequantize']> {
  readonly codes: string;
  readonly absmax: string;
}

export const bytesOf = (data: TensorData | BigInt64Array): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

const keyOf = (data: TensorData | BigInt64Array): string =>
  Array.from(data as ArrayLike<number | bigint>, (v) => (Object.is(v, -0) ? '-0' : String(v))).join();

export interface Target {
  /** Whether products of unsigned by signed bytes go wrong (`productsSaturate`). Default: no. */
  readonly saturates?: boolean;
  /** Codes whose products may round their rows (`LoadOptions.roundedRows`), by the parameter's name. */
  readonly roundedRows?: ReadonlyMap<string, Tensor>;
  /** Sizes that are only known at a run: where they show up, `sizeValue` of them is read. */
  readonly sizes?: SymbolicSizes;
}

/** The value (1), int64, that a graph with symbolic sizes has for each of them. */
export const sizeValue = (name: SizeName): string => `size.${name}`;

export class OnnxGraph {
  constructor(readonly target: Target = {}) {}

  readonly nodes: OnnxNode[] = [];
  /**
   * Nodes written before the others. The engine goes depth first from the outputs and takes the operand written last
   * first: what stands here is computed when everything else that its reader needs is there, and lives shortly.
   */
  readonly early: OnnxNode[] = [];
  /** Weights that stay quantized, by the name their value would have. */
  readonly quantized = new Map<string, QuantizedValue>();
  readonly initializers: OnnxInitializer[] = [];
  /** Numbers of initializers that are external, and no parameter's own, by name. */
  readonly external = new Map<string, TensorData>();
  /** Second outputs that a later rule may want (the inverse deviation of a norm), by a key the rules agree on. */
  readonly byproducts = new Map<string, string>();
  readonly #constants = new Map<string, string>();
  #count = 0;
  #target = this.nodes;

  /** A name no input or parameter has. */
  fresh(): string {
    return `#${this.#count++}`;
  }

  /** Appends a node with one output and returns the output's name. */
  node(operator: string, inputs: readonly string[], options: NodeOptions = {}): string {
    return this.nodeWithOutputs(operator, inputs, 1, options)[0]!;
  }

  /** A value of the shape `before` in the shape `after`. */
  reshaped(name: string, before: Shape, after: Shape): string {
    return before.join() === after.join() ? name : this.node('Reshape', [name, this.integers(after)]);
  }

  /** Appends a node; an empty name stands for an output nobody reads. */
  nodeWithOutputs(
    operator: string,
    inputs: readonly string[],
    count: number,
    { attributes = {}, domain = '' }: NodeOptions = {},
  ): string[] {
    const outputs = Array.from({ length: count }, () => this.fresh());
    this.#target.push({ operator, domain, inputs, outputs, attributes });
    return outputs;
  }

  /** What `build` appends goes among the early nodes. */
  writeEarly<T>(build: () => T): T {
    const before = this.#target;
    this.#target = this.early;
    try {
      return build();
    } finally {
      this.#target = before;
    }
  }

  /** A value known now; equal small ones are written once. */
  constant({ dtype, shape, data }: Tensor): string {
    return this.#initializer(dtype, shape, data);
  }

  /** A large value made from a frozen weight: handed to the engine beside the model. `make` is called once a name. */
  made(name: string, shape: Shape, make: () => { readonly dtype: DType; readonly data: TensorData }): string {
    if (this.external.has(name)) return name;
    const { dtype, data } = make();
    this.external.set(name, data);
    this.initializers.push({ name, dtype, shape, data: { external: name, length: data.byteLength } });
    return name;
  }

  floats(values: readonly number[], shape: Shape = [values.length]): string {
    return this.#initializer('f32', shape, Float32Array.from(values));
  }

  /** (1, count), written once for each count. */
  ones(count: number): string {
    const key = `ones ${count}`;
    const written = this.#constants.get(key) ?? this.floats(new Array<number>(count).fill(1), [1, count]);
    this.#constants.set(key, written);
    return written;
  }

  /** A list of int64, as axes and shapes want; computed where sizes in it are only known at a run. */
  integers(values: readonly number[], shape: Shape = [values.length]): string {
    const { sizes } = this.target;
    const factors = sizes === undefined ? [] : values.map((value) => factorsOf(value, sizes));
    if (factors.some(({ unknown }) => unknown.length > 0)) return this.#computed(factors);
    return this.#initializer('i64', shape, BigInt64Array.from(values.map(BigInt)));
  }

  #computed(factors: readonly ReturnType<typeof factorsOf>[]): string {
    const key = JSON.stringify(factors);
    const written = this.#constants.get(key);
    if (written !== undefined) return written;
    const parts = factors.map(({ known, unknown }) =>
      unknown
        .map(sizeValue)
        .reduce(
          (product, name) => (product === '' ? name : this.node('Mul', [product, name])),
          known === 1 && unknown.length > 0 ? '' : this.integers([known]),
        ),
    );
    const list = parts.length === 1 ? parts[0]! : this.node('Concat', parts, { attributes: { axis: 0 } });
    this.#constants.set(key, list);
    return list;
  }

  #initializer(dtype: DType | 'i64', shape: Shape, data: TensorData | BigInt64Array): string {
    const key = data.length <= 64 ? `${dtype}(${shape})${keyOf(data)}` : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.fresh();
    this.initializers.push({ name, dtype, shape, data: { bytes: bytesOf(data) } });
    if (key !== undefined) this.#constants.set(key, name);
    return name;
  }
}
