/**
 * Processors without VNNI multiply unsigned by signed bytes in pairs whose sum must fit 16 bits: it is cut off at 32,767
 * where it does not, in silence. Both operands unsigned are multiplied exactly everywhere, half as fast.
 * @see https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html "U8S8 can suffer from saturation"
 */
import { OnnxGraph } from './graph.ts';
import { encodeModel } from './protobuf.ts';

type Runtime = typeof import('onnxruntime-node');

const SIZE = 32;
let known: Promise<boolean> | undefined;

/** Whether sums of 255 · 127 come out too small on this machine; tried once. */
export function productsSaturate(ort: Runtime): Promise<boolean> {
  known ??= tryProduct(ort);
  return known;
}

async function tryProduct(ort: Runtime): Promise<boolean> {
  const graph = new OnnxGraph();
  const shape = [SIZE, SIZE];
  const weight = graph.constant({ dtype: 'i8', shape, data: new Int8Array(SIZE * SIZE).fill(127) });
  const output = graph.node('MatMulInteger', ['x', weight]);
  const session = await ort.InferenceSession.create(
    encodeModel({
      name: 'saturation',
      opsets: { '': 21 },
      nodes: graph.nodes,
      initializers: graph.initializers,
      inputs: [{ name: 'x', dtype: 'u8', shape }],
      outputs: [{ name: output, dtype: 'i32', shape }],
    }),
    { executionProviders: ['cpu'], logSeverityLevel: 4 },
  );
  const x = new ort.Tensor('uint8', new Uint8Array(SIZE * SIZE).fill(255), shape);
  const results = await session.run({ x });
  await session.release();
  return (results[output]!.data as Int32Array).some((sum) => sum !== 255 * 127 * SIZE);
}
