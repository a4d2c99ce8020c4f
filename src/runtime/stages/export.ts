/** `export`: the policy as files that other programs load. */
import { estimateExport } from './estimates/export.ts';
import { exportForm } from './parts/export-form.ts';
import type { Stage } from './stage.ts';

export const exportStage: Stage = {
  entry: {
    name: 'export',
    summary: 'writes the policy where you want it, in Hugging Face layout',
    details: `\`as=merged\` writes config.json, model.safetensors, tokenizer.json, tokenizer_config.json with the chat template
and generation_config.json; \`as=adapter\` writes the last adapter in PEFT layout (adapter_config.json,
adapter_model.safetensors) beside the tokenizer; its base stays in the store, and ftc.json says where.

\`quant=nf4\` writes the linear weights of the blocks in four bits, the checkpoint that transformers loads with
bitsandbytes; embeddings, norms and head stay in f32. Adapters are folded in first, so the values move: the log says by
how much.`,
    example: 'export(to="dist/medical" quant=nf4)',
    methods: [],
    reads: [
      { slot: 'policy', required: true },
      { slot: 'tokenizer', required: false },
    ],
    writes: ['files'],
    metrics: [],
    required: ['to'],
    options: {
      to: {
        description: 'directory to write, relative to the pipeline file',
        type: 'string',
        position: 0,
        path: 'write',
      },
      as: {
        description: 'one whole model, or the last adapter alone',
        type: 'string',
        enum: ['merged', 'adapter'],
        default: 'merged',
      },
      quant: {
        description: 'number format of the linear weights of a merged model',
        type: 'string',
        enum: ['none', 'nf4', 'fp4'],
        default: 'none',
      },
      block: {
        description: 'with `quant`: weights that share one scale, a power of two from 32 to 4096',
        type: 'integer',
        minimum: 1,
        unit: 'count',
        default: 64,
      },
      double_quant: {
        description: 'with `quant`: also quantize the scales, to eight bits',
        type: 'boolean',
        default: true,
      },
    },
  },

  estimate: estimateExport,

  async run(context) {
    const { to } = context.job.options;
    const { path, note } = await context.exportPolicy(String(to), exportForm(context.job.options));
    context.message('info', `wrote ${path}${note === undefined ? '' : `: ${note}`}`);
    return { metrics: {} };
  },
};
