/**
 * One training step (forward, backward, AdamW) of a Llama-like model of 8 layers and width 576, keeping what its blocks
 * compute or computing it again. node dist/bench/recompute-step.js --recompute 1 --lora 1
 */
import { onnx } from '../src/runtime/executables/onnx/onnx.ts';
import { full } from '../src/runtime/methods/full.ts';
import { lora } from '../src/runtime/methods/lora.ts';
import { llama } from '../src/runtime/models/llama.ts';
import { adamw } from '../src/runtime/optimizers/adamw.ts';
import type { Tensor } from '../src/runtime/programs/ops.ts';
import { nodesOf } from '../src/runtime/programs/program.ts';
import { finishProgram } from '../src/runtime/run/program-passes.ts';
import { languageModelProgram } from '../src/runtime/stages/parts/language-model-program.ts';
import { initialize, numbersFrom, report, timeEach } from './measure.ts';

const options = numbersFrom({
  recompute: 0,
  lora: 0,
  layers: 8,
  vocabulary: 2048,
  batch: 4,
  tokens: 256,
  steps: 5,
  threads: 2,
});
const { layers, vocabulary, batch, tokens } = options;
const config = llama.configure(
  { layers, width: 576, heads: 9, kv_heads: 3, mlp: 1536, context: tokens },
  { vocabularySize: vocabulary, eos: 0, pad: 0 },
);
const parameters = llama.parameters(config);
const target = { config, parameters, linears: llama.linears(config), blocks: llama.blocks(config) };
const method = options.lora ? lora.apply(target, { r: 8, targets: ['q', 'v'] }) : full.apply(target, {});
const headTrainable = !options.lora;
const program = finishProgram(
  () => languageModelProgram({ family: llama, config, batch, length: tokens, headTrainable }),
  {
    adapt: method,
    quantized: method.quantized,
    trainable: method.trainable,
    recompute: options.recompute ? 'blocks' : 'none',
  },
);

const rows = batch * tokens;
const token = (i: number) => (i * 7919) % vocabulary;
const integers = (shape: readonly number[], at: (i: number) => number): Tensor => ({
  dtype: 'i32',
  shape,
  data: Int32Array.from({ length: rows }, (_, i) => at(i)),
});
const values = new Map([...initialize(parameters), ...initialize(method.added)]);
const trained = new Map([...values].filter(([name]) => method.trainable.includes(name)));
const frozen = new Map([...values].filter(([name]) => !trained.has(name)));
const feeds = new Map<string, Tensor>([
  ...trained,
  ['ids', integers([batch, tokens], token)],
  ['labels', integers([rows], (i) => token(i + 1))],
  ['weights', { dtype: 'f32', shape: [rows], data: new Float32Array(rows).fill(1 / rows) }],
]);
const executor = await onnx.load(program, { frozen, threads: options.threads });
const optimizer = adamw({});
const flat = new Map([...trained].map(([name, value]) => [name, value.data as Float32Array]));
const state = optimizer.initialize(flat);
const losses: number[] = [];
const times = await timeEach(options.steps, async () => {
  const outputs = await executor.run(feeds);
  losses.push(outputs.get('loss')!.data[0]!);
  const gradients = new Map(
    method.trainable.map((name) => [name, outputs.get(`grad:${name}`)!.data as Float32Array]),
  );
  await optimizer.update(flat, gradients, state, 1e-3);
});
await executor.dispose();
report(times, rows, { ...options, nodes: nodesOf(program).length, losses: losses.join(' ') });
