/** `open`: a model that is already there, in a directory or on a hub. */
import type { ModelEntry } from '../../compiler/catalog.ts';
import { sizeOf } from '../programs/program.ts';
import type { Stage } from './stage.ts';

/** Models with weights, by the name of their call. */
export const existingModels: Readonly<Record<'local' | 'hf', ModelEntry>> = {
  local: {
    name: 'local',
    summary: 'a model in a directory, in Hugging Face layout',
    details: `The directory holds config.json, the weights (model.safetensors, or shards with model.safetensors.index.json) and the
tokenizer (tokenizer.json, tokenizer_config.json, chat_template.jinja). Weights are read where they are used, never all at once,
and are not copied.

Models: LlamaForCausalLM, MistralForCausalLM (sliding window), Qwen2ForCausalLM, Qwen3ForCausalLM, GPT2LMHeadModel, and their
reward models (ForSequenceClassification); rope scaling linear, dynamic, llama3, yarn; f32, f16, bf16, and four bits as
bitsandbytes keeps them. Tokenizers: byte-level BPE, SentencePiece BPE with byte fallback, Unigram, WordPiece. Anything else, and a tensor
that is missing, too many or of another shape, is an error that names it.

\`adapter\` names a directory in PEFT layout (adapter_config.json, adapter_model.safetensors), which is folded into the weights;
one that was made for another base is an error. A directory that \`ftc\` exported as an adapter knows its base by itself.

What is computed from the model depends on what the files hold, not on where they lie: a copy elsewhere is the same model.`,
    example: 'sft(model=local("models/base") lora r=8)',
    weights: 'existing',
    required: ['path'],
    options: {
      path: {
        description: 'directory of the model, relative to the pipeline file',
        type: 'string',
        position: 0,
        path: 'read',
      },
      adapter: {
        description: 'directory of an adapter for it, in PEFT layout',
        type: 'string',
        path: 'read',
      },
    },
  },
  hf: {
    name: 'hf',
    summary: 'a model of a hub, by its name',
    details: `Files are fetched once, into the cache that Python's tools share (\`HF_HOME\`), and checked against the hub's hashes; what was
cut off goes on where it stopped. \`HF_TOKEN\` opens gated models, \`HF_ENDPOINT\` names another hub, \`HF_HUB_OFFLINE=1\` uses what is there.

\`rev\` is a branch, a tag or a commit. Plan and run say which commit it is, and the result belongs to that commit: when a branch
moves, what starts from it runs again. Name a commit to stay.`,
    example: 'sft(model=hf("HuggingFaceTB/SmolLM2-135M" rev="main") lora r=8)',
    weights: 'existing',
    required: ['name'],
    options: {
      name: { description: 'organisation and name of the model', type: 'string', position: 0, path: 'read' },
      rev: { description: 'branch, tag or commit', type: 'string', default: 'main', cosmetic: true },
      adapter: {
        description: 'directory of an adapter for it, in PEFT layout',
        type: 'string',
        path: 'read',
      },
    },
  },
};

export const open: Stage = {
  entry: {
    name: 'open',
    summary: 'a model that is already there, as the start of a pipeline',
    details: `\`open(base) → sft → …\` starts from a model with weights. \`sft(model=base)\` is the same, written at the stage that starts
from it. Nothing is copied: the result says where the model lies and which one it is.`,
    example: 'open(local("models/base")) → sft(lora r=8)',
    methods: [],
    reads: [],
    writes: ['policy', 'tokenizer'],
    metrics: [],
    required: ['model'],
    options: {
      model: {
        description: '`local("directory")`, `hf("org/name")`, or a `model` item',
        refers: 'model',
        position: 0,
      },
    },
  },

  async estimate(context) {
    const { notes, problem, ...model } = await context.opened();
    const total = model.family.parameters(model.config).reduce((n, spec) => n + sizeOf(spec.shape), 0);
    return {
      model,
      parameters: { total, trainable: 0 },
      steps: 0,
      tokens: 0,
      work: [],
      diskBytes: 0,
      notes,
      ...(problem && { problem }),
    };
  },

  async run(context) {
    await context.openModel();
    return { metrics: {} };
  },
};
