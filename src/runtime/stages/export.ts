/** `export`: the policy, or the reward model, as files that other programs load. */
import { estimateExport } from './estimates/export.ts';
import { exportOptions } from './export-options.ts';
import { exportForm } from './parts/export-form.ts';
import type { Stage } from './stage.ts';

export const exportStage: Stage = {
  entry: {
    name: 'export',
    summary: 'writes the model where you want it, as files that other programs load',
    details: `\`format=hf\`: \`as=merged\` writes config.json, model.safetensors (in shards with an index above \`shard\`), the tokenizer
with its chat template, generation_config.json and README.md, the model's card; \`as=adapter\` writes the last adapter in
PEFT layout (adapter_config.json, adapter_model.safetensors) beside the tokenizer; its base stays in the store, and
ftc.json says where. \`what=reward\` writes the reward model for AutoModelForSequenceClassification.

\`quant=nf4\` writes the linear weights of the blocks in four bits, the checkpoint that transformers loads with
bitsandbytes; embeddings, norms and head keep \`dtype\`. Adapters are folded in first, so the values move: the log says by
how much.

\`format=gguf\`, or a \`to\` that ends in .gguf, writes one file for llama.cpp: weights, vocabulary, chat template and end
tokens; \`quant=q8_0\` or \`q4_0\` makes it smaller.

\`format=onnx\` writes model.onnx for generation with onnxruntime alone: \`input_ids\`, \`attention_mask\`, \`position_ids\` and
\`past_key_values.N.key\`/\`value\` in, \`logits\` and \`present.N.key\`/\`value\` out, batch and lengths free.

What was written is opened again before it gets its name, and compared with the model in the run: one conversation must
give the same text, the same tokens, and logits within the tolerance of the number format: a largest difference of 0.0001 of
their spread in f32, 0.05 in f16, 0.3 in bf16, 0.5 in q8_0, 4 in four bits; and in every format exactly what the rounded
weights give. The model in the run is first compared with what it answered when its training ended, its adapters still
beside the weights. If they part the export fails (FTP6010), says where, and leaves nothing.

Only what an earlier export wrote is replaced; \`overwrite=true\` replaces other files too.`,
    example: 'export(to="dist/medical" quant=nf4)',
    methods: [],
    reads: [
      { slot: 'policy', required: true },
      { slot: 'tokenizer', required: false },
      { slot: 'reward', required: false },
    ],
    writes: ['files'],
    metrics: ['parity_tokens', 'parity_difference', 'parity_tolerance', 'bytes'],
    required: ['to'],
    options: exportOptions,
  },

  estimate: estimateExport,

  async run(context) {
    const { path, notes, metrics } = await context.exportPolicy(exportForm(context.job.options));
    context.message('info', [`wrote ${path}`, ...notes].join('; '));
    return { metrics };
  },
};
