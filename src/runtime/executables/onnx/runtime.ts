/** onnxruntime, loaded on first use: importing it costs 0.1 s. */
import { keepFreedMemory } from '../release.ts';

export type Runtime = typeof import('onnxruntime-node');

let runtime: Promise<Runtime> | undefined;
export function loadRuntime(): Promise<Runtime> {
  runtime ??= import('onnxruntime-node').then((ort) => {
    ort.env.logLevel = 'error';
    keepFreedMemory();
    return ort;
  });
  return runtime;
}
