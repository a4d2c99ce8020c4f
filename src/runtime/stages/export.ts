/** `export`: the policy as files that other programs load. */
import { estimateExport } from './estimates/export.ts';
import type { Stage } from './stage.ts';

export const exportStage: Stage = {
  entry: {
    name: 'export',
    summary: 'writes the policy where you want it, in Hugging Face layout',
    details: `\`as=merged\` writes config.json, model.safetensors, tokenizer.json, tokenizer_config.json with the chat template
and generation_config.json; \`as=adapter\` writes the last adapter in PEFT layout (adapter_config.json,
adapter_model.safetensors) beside the tokenizer; its base stays in the store, and ftc.json says where.`,
    example: 'export(to="dist/medical")',
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
    },
  },

  estimate: estimateExport,

  async run(context) {
    const { to, as } = context.job.options;
    const path = await context.exportPolicy(String(to), as === 'adapter' ? 'adapter' : 'merged');
    context.message('info', `wrote ${path}`);
    return { metrics: {} };
  },
};
