/** The model that decoding is measured with: a Llama of width 576 with random weights. */
import { llama } from '../src/runtime/models/llama.ts';
import { initialize } from './measure.ts';

export function decodedModel(layers: number, vocabulary: number) {
  const config = llama.configure(
    { layers, width: 576, heads: 9, kv_heads: 3, mlp: 1536, context: 2048 },
    { vocabularySize: vocabulary, eos: 0, pad: 0 },
  );
  return { family: llama, config, weights: initialize(llama.parameters(config)) };
}
