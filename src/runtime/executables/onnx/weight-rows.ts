/** Rows of a frozen weight as a value of their own: they lie one behind another, so none is copied. */
import type { Shape, Tensor } from '../../programs/ops.ts';
import { type Node, sizeOf } from '../../programs/program.ts';
import type { Weights } from './lower.ts';
import type { MappedInitializer, OnnxInitializer } from './protobuf.ts';
import { BYTES_OF } from './value-shapes.ts';

/** `mapped` and `held` get the rows that are mapped and fed; `initializers` those that the engine packs. */
export class WeightRows {
  readonly initializers: OnnxInitializer[] = [];
  private readonly known = new Set<string>();

  constructor(
    private readonly frozen: ReadonlyMap<string, Tensor>,
    private readonly weights: Weights,
    private readonly mapped: Map<string, MappedInitializer>,
    private readonly held: Map<string, Tensor>,
  ) {}

  /** undefined where the node is something else, or its weight is no frozen one that lies outside the model. */
  nameFor(node: Node): string | undefined {
    const [weight] = node.inputs;
    if (node.op !== 'slice' || weight?.op !== 'parameter') return undefined;
    const tensor = this.frozen.get(weight.attributes.name);
    const { starts, ends } = node.attributes;
    const onlyRows = weight.shape.every((n, i) => i === 0 || (starts[i] === 0 && ends[i] === n));
    if (tensor === undefined || !onlyRows || (this.weights !== 'pack' && this.weights !== 'feed'))
      return undefined;
    const name = `${weight.attributes.name}[${starts[0]}:${ends[0]}]`;
    if (!this.known.has(name)) this.add(name, weight.attributes.name, tensor, node.shape, starts[0]!);
    this.known.add(name);
    return name;
  }

  /** A weight in a file is not read for this. */
  private add(name: string, whole: string, tensor: Tensor, shape: Shape, start: number): void {
    const { dtype } = tensor;
    const width = sizeOf(shape.slice(1));
    const file = this.mapped.get(whole);
    if (file !== undefined) {
      const row = (file.length / sizeOf(file.shape)) * width;
      const place = { offset: file.offset + start * row, length: shape[0]! * row };
      this.mapped.set(name, { ...file, name, shape, ...place });
    } else if (this.weights === 'feed')
      this.held.set(name, {
        dtype,
        shape,
        data: tensor.data.subarray(start * width, start * width + sizeOf(shape)),
      });
    else {
      const row = BYTES_OF[dtype] * width;
      const place = { external: whole, offset: start * row, length: shape[0]! * row };
      this.initializers.push({ name, dtype, shape, data: place });
    }
  }
}
