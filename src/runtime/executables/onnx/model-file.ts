/** A model's ONNX file, run by onnxruntime as any program would that finds it. */
import type { Shape } from '../../programs/ops.ts';
import { loadRuntime } from './runtime.ts';

export interface FedTensor {
  readonly shape: Shape;
  readonly data: Float32Array | BigInt64Array;
}

export interface ModelFile {
  readonly inputs: readonly string[];
  /** Outputs by name; only f32 ones. */
  run(feeds: ReadonlyMap<string, FedTensor>): Promise<ReadonlyMap<string, FedTensor>>;
  dispose(): Promise<void>;
}

/** Errors: Error with what onnxruntime says of a file that it does not take. */
export async function openModelFile(path: string): Promise<ModelFile> {
  const ort = await loadRuntime();
  const session = await ort.InferenceSession.create(path, {
    executionProviders: ['cpu'],
    logSeverityLevel: 4,
  });
  return {
    inputs: session.inputNames,
    async run(feeds) {
      const wrapped = [...feeds].map(([name, { shape, data }]) => {
        const type = data instanceof Float32Array ? 'float32' : 'int64';
        return [name, new ort.Tensor(type, data as never, [...shape])] as const;
      });
      const results = await session.run(Object.fromEntries(wrapped));
      return new Map(
        Object.entries(results).map(([name, { dims, data }]) => [
          name,
          { shape: dims, data: data as Float32Array },
        ]),
      );
    },
    dispose: () => session.release(),
  };
}
