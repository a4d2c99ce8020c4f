/** A repository as small as its shape allows, and how to ask for it. */
import type { ModelRequest } from '../../src/runtime/hub/fetch-model.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import type { FakeHub } from './fake-hub.ts';

/** Bytes that no two places have in common. */
export function bytes(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

export const tinyFiles = {
  'config.json': '{"model_type":"llama"}',
  'tokenizer.json': '{"model":{"type":"BPE"}}',
  'tokenizer_config.json': '{}',
  'README.md': '# tiny',
  'model.safetensors': bytes(300_000),
  'pytorch_model.bin': 'pickled',
  'onnx/model.onnx': 'not asked for',
};

/** Asks for `org/tiny` with a cache of its own and without pauses. */
export function asking(
  hub: FakeHub,
  more: Partial<ModelRequest> & { readonly variables?: { readonly [name: string]: string } } = {},
): ModelRequest & { readonly cache: string; readonly pauses: number[] } {
  const { variables = {}, ...request } = more;
  const cache = variables.HF_HUB_CACHE ?? temporaryDirectory();
  const pauses: number[] = [];
  return {
    repository: 'org/tiny',
    environment: { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cache, HOME: cache, ...variables },
    pause: async (milliseconds) => void pauses.push(milliseconds),
    cache,
    pauses,
    ...request,
  };
}
