/** What a program takes of memory in an onnxruntime session, from its shapes alone: no weight is read. */
import type { DType, Shape, Tensor } from '../../programs/ops.ts';
import { type Program, parametersOf } from '../../programs/program.ts';
import { Arena, type Chunk } from './arena.ts';
import { type Buffer, type ExecutionPlan, executionPlan, scratchBytes } from './execution-plan.ts';
import { lowerToOnnx } from './lower.ts';
import type { OnnxModel, OnnxNode } from './protobuf.ts';
import { BYTES_OF, bytesOfValue, typesOfValues, type ValueType } from './value-shapes.ts';
import { weightsMode } from './weights-mode.ts';

export interface SessionOptions {
  /** Parameters that the session keeps, by name; the others are fed. Default: none. */
  readonly frozen?: ReadonlySet<string>;
  /** As the session is loaded. Default: by the size of the frozen weights. */
  readonly memory?: 'fast' | 'small';
}

/** Bytes; together what the session adds to the process once it has run. */
export interface SessionMemory {
  /** The engine's own objects. */
  readonly graph: number;
  /** Frozen weights as products want them: once for each direction they are read in. */
  readonly packed: number;
  /** Values written into the model or computed when it is loaded, and frozen weights that are kept as they are. */
  readonly constants: number;
  /** What the arena holds for results that are handed out, which are copied after that. */
  readonly outputs: number;
  /** What it holds for everything else. */
  readonly activations: number;
  /** While it is loaded, beyond `graph`, `packed` and `constants`. */
  readonly loading: number;
}

/** Of a session with hardly a node, and of each node; measured. */
const SESSION_BYTES = 5e6;
const NODE_BYTES = 8.5e3;

const PRODUCTS = new Set(['Gemm', 'MatMul', 'FusedMatMul', 'MatMulIntegerToFloat']);
/** Packed columns come in groups. */
const COLUMNS = 16;

export function sessionMemory(program: Program, options: SessionOptions = {}): SessionMemory {
  const frozen = new Map(
    parametersOf(program)
      .filter(({ attributes }) => options.frozen?.has(attributes.name))
      .map(({ attributes, dtype, shape }) => [attributes.name, placeholder(dtype, shape)]),
  );
  const { model } = lowerToOnnx(program, frozen, weightsMode(options.memory, frozen.values()));
  const types = typesOfValues(model);
  const plan = executionPlan(model, types);
  const { packed, kept, packing } = frozenBytes(plan.nodes, model, types);
  const { touched, outputs } = arenaBytes(plan, types);
  return {
    graph: SESSION_BYTES + NODE_BYTES * model.nodes.length,
    packed,
    constants: kept + constantBytes(plan, model, types),
    outputs,
    activations: touched - outputs,
    loading: packing,
  };
}

const placeholder = (dtype: DType, shape: Shape): Tensor => ({ dtype, shape, data: new Uint8Array(0) });

/** Packed once for each weight and direction, however many products read it so. */
function frozenBytes(
  nodes: readonly OnnxNode[],
  { initializers }: OnnxModel,
  types: ReadonlyMap<string, ValueType>,
) {
  const external = new Set(initializers.flatMap(({ name, data }) => ('external' in data ? [name] : [])));
  const packs = new Map<string, { readonly bytes: number; readers: number }>();
  const kept = new Set<string>();
  for (const node of nodes)
    node.inputs.forEach((name, i) => {
      if (!external.has(name)) return;
      const { dtype, shape } = types.get(name)!;
      if (i !== 1 || !PRODUCTS.has(node.operator) || shape.length !== 2) {
        kept.add(name);
        return;
      }
      const transposed = Number(node.attributes.transB ?? 0);
      const [rows, columns] = transposed === 1 ? [shape[1]!, shape[0]!] : [shape[0]!, shape[1]!];
      const bytes = BYTES_OF[dtype] * rows * COLUMNS * Math.ceil(columns / COLUMNS);
      const key = `${name} ${transposed}`;
      packs.set(key, { bytes, readers: (packs.get(key)?.readers ?? 0) + 1 });
    });
  const all = [...packs.values()];
  return {
    packed: sum(all.map(({ bytes }) => bytes)),
    kept: sum([...kept].map((name) => bytesOfValue(types.get(name)!))),
    // Each is packed beside what is there, and where another product had it already, once more before it is dropped.
    packing: Math.max(0, ...all.map(({ bytes, readers }) => bytes * Math.min(2, readers))),
  };
}

function constantBytes(
  plan: ExecutionPlan,
  { initializers }: OnnxModel,
  types: ReadonlyMap<string, ValueType>,
) {
  const read = new Set(plan.nodes.flatMap((node) => node.inputs));
  const written = initializers.filter(({ name, data }) => read.has(name) && 'bytes' in data);
  return sum(plan.folded.values()) + sum(written.map(({ name }) => bytesOfValue(types.get(name)!)));
}

/** The pages that the arena holds after two runs: a second one finds free chunks where the first found none. */
function arenaBytes({ nodes, buffers }: ExecutionPlan, types: ReadonlyMap<string, ValueType>) {
  const arena = new Arena();
  const at = (place: 'born' | 'dies') => {
    const places = new Map<number, Buffer[]>();
    for (const one of buffers) places.set(one[place], [...(places.get(one[place]) ?? []), one]);
    return places;
  };
  const [births, deaths] = [at('born'), at('dies')];
  for (let run = 0; run < 2; run++) {
    const chunks = new Map<Buffer, Chunk>();
    for (let step = 0; step <= nodes.length; step++) {
      for (const buffer of births.get(step) ?? []) chunks.set(buffer, arena.allocate(buffer.bytes));
      const scratch = step < nodes.length ? scratchBytes(nodes[step]!, types) : 0;
      if (scratch > 0) arena.free(arena.allocate(scratch));
      for (const buffer of deaths.get(step) ?? []) arena.free(chunks.get(buffer)!);
    }
  }
  const outputs = sum(buffers.filter(({ isOutput }) => isOutput).map(({ bytes }) => bytes));
  return { touched: arena.touchedBytes, outputs };
}

const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
