/** Programs run by onnxruntime: one static graph, one session. */
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import type { DType, Tensor, TensorData } from '../../programs/ops.ts';
import { inputsOf, type Program, parametersOf, sizeOf } from '../../programs/program.ts';
import type { Executable, Executor, LoadOptions } from '../executable.ts';
import { feedFor } from '../feeds.ts';
import { collectYoungFrom, countYoung } from '../release.ts';
import { bytesOf, type Target } from './graph.ts';
import { lowerToOnnx } from './lower.ts';
import { MAPPED_FOLDER } from './mapped-weights.ts';
import { encodeModel, type OnnxModel } from './protobuf.ts';
import { loadRuntime } from './runtime.ts';
import { productsSaturate } from './saturation.ts';
import { weightsMode } from './weights-mode.ts';

/** Bytes of earlier results from which on they are freed before a run. */
const WORTH_COLLECTING = 1 << 20;

const ORT_TYPE = {
  f32: 'float32',
  i32: 'int32',
  bool: 'bool',
  u8: 'uint8',
  i8: 'int8',
} as const satisfies Record<DType, OrtTensor.Type>;

/** The bytes of a `.onnx` file; parameters in `frozen` are stored inside, the others are graph inputs. */
export function emitOnnx(program: Program, frozen: ReadonlyMap<string, Tensor> = new Map()): Uint8Array {
  return encodeModel(lowerToOnnx(program, frozen, 'embed').model);
}

/**
 * Session options, as measured. Memory patterns reserve a second arena after the first run (+0.6 GB of 1.4). A masked
 * softmax makes denormal numbers, each some hundred cycles: they are flushed to zero (7 % of a step), also, from the
 * first session on, in the thread that opened it. Threads spin for 20 µs before they sleep: long enough for the next
 * operation to find them awake (a step of small operations is 22 % quicker), too short to take time from whatever else
 * runs (the default of some 40 ms makes a step up to three times slower on a busy machine).
 */
function sessionOptions(
  model: OnnxModel,
  external: ReadonlyMap<string, TensorData>,
  { threads }: LoadOptions,
): InferenceSession.SessionOptions {
  const { mapped = [] } = model;
  return {
    executionProviders: ['cpu'],
    logSeverityLevel: 4,
    enableMemPattern: false,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    externalData: [...external].map(([path, data]) => ({ path, data: bytesOf(data) })),
    extra: {
      session: {
        set_denormal_as_zero: '1',
        intra_op: { allow_spinning: '1', spin_duration_us: '20' },
        ...(mapped.length > 0 && { model_external_initializers_file_folder_path: MAPPED_FOLDER }),
      },
      // It would widen a weight once for all its readers, and keep it between them.
      ...(mapped.some(({ dtype }) => dtype !== 'f32') && {
        optimization: { disable_specified_optimizers: 'CommonSubexpressionElimination' },
      }),
    },
  };
}

async function load(program: Program, options: LoadOptions = {}): Promise<Executor> {
  const ort = await loadRuntime();
  const sources = new Map(
    [...inputsOf(program), ...parametersOf(program)].map((n) => [n.attributes.name, n]),
  );
  // Those that the program reads, and no others: they may be read from a file now.
  const frozen = new Map(
    [...sources].flatMap(([name, { op }]) => {
      const value = op === 'parameter' ? options.frozen?.get(name) : undefined;
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
  const inCodes = [...sources.values()].some(({ dtype }) => dtype === 'i8');
  const target: Target = {
    saturates: inCodes && (await productsSaturate(ort)),
    ...(options.roundedRows === true && { roundedRows: frozen }),
  };
  const weights = weightsMode(options.memory, frozen.values());
  const { model, outputs, held, external } = lowerToOnnx(program, frozen, weights, target);
  const session = await ort.InferenceSession.create(
    encodeModel(model),
    sessionOptions(model, external, options),
  );
  const fed = [...sources.values()].filter((node) => !frozen.has(node.attributes.name));

  const wrap = ({ dtype, shape, data }: Tensor): OrtTensor =>
    new ort.Tensor(ORT_TYPE[dtype], data as never, shape as number[]);
  const constant = Object.fromEntries([...held].map(([name, value]) => [name, wrap(value)]));
  const unwrap = (name: string, value: OrtTensor): Tensor => {
    const { dtype, shape } = program.outputs.get(name)!;
    return { dtype, shape, data: value.data as Tensor['data'] };
  };
  const outputBytes = [...program.outputs.values()].reduce((n, { shape }) => n + 4 * sizeOf(shape), 0);
  return {
    async run(feeds) {
      collectYoungFrom(WORTH_COLLECTING);
      const inputs = Object.fromEntries(
        fed.map((node) => [node.attributes.name, wrap(feedFor(node, feeds))]),
      );
      const results = await session.run({ ...constant, ...inputs });
      countYoung(outputBytes);
      return new Map([...outputs].map(([name, value]) => [name, unwrap(name, results[value]! as OrtTensor)]));
    },
    dispose: () => session.release(),
  };
}

export const onnx: Executable = { name: 'onnx', load };
