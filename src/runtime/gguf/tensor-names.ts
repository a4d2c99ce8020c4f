/**
 * The tensors of a model in llama.cpp's names, and which of ours each is made of.
 * @see https://github.com/ggml-org/llama.cpp `gguf-py/gguf/tensor_mapping.py`, `conversion/llama.py`, `conversion/gpt2.py`
 */
import type { ModelConfig, ModelShape } from '../models/model.ts';
import type { Arrangement } from './arrangement.ts';
import { GgufError } from './gguf-error.ts';

/** What llama.cpp calls the architecture of a `model_type`; Mistral is its `llama`. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  llama: 'llama',
  mistral: 'llama',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
  gpt2: 'gpt2',
};

/** Errors: GgufError for a model_type that llama.cpp has no architecture for here. */
export function architectureOf({ model_type }: ModelConfig): string {
  const architecture = ARCHITECTURES[model_type];
  if (architecture !== undefined) return architecture;
  throw new GgufError(`a model of type ${model_type} cannot be written as GGUF`, [
    `GGUF is written for ${Object.keys(ARCHITECTURES).join(', ')}`,
  ]);
}

const LLAMA: Readonly<Record<string, string>> = {
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'self_attn.q_norm': 'attn_q_norm',
  'self_attn.k_norm': 'attn_k_norm',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

const GPT2: Readonly<Record<string, string>> = {
  ln_1: 'attn_norm',
  'attn.c_attn': 'attn_qkv',
  'attn.c_proj': 'attn_output',
  ln_2: 'ffn_norm',
  'mlp.c_fc': 'ffn_up',
  'mlp.c_proj': 'ffn_down',
};

const OUTSIDE: Readonly<Record<string, string>> = {
  'model.embed_tokens': 'token_embd',
  'model.norm': 'output_norm',
  lm_head: 'output',
  'transformer.wte': 'token_embd',
  'transformer.wpe': 'position_embd',
  'transformer.ln_f': 'output_norm',
};

/** Biases that llama.cpp computes with; it does not read others, and says nothing. */
const BIASES: Readonly<Record<string, RegExp>> = {
  llama: /attn_(q|k|v|output)|ffn_(gate|up|down)/,
  qwen2: /attn_(q|k|v)$/,
  qwen3: /attn_(q|k|v)$/,
  gpt2: /./,
};

/** `model.layers.0.self_attn.q_proj.weight` → `blk.0.attn_q.weight`. Errors: GgufError where llama.cpp has no such tensor. */
export function ggufName(config: ModelConfig, name: string): string {
  const architecture = architectureOf(config);
  const kind = name.endsWith('.bias') ? 'bias' : 'weight';
  const module = name.slice(0, -kind.length - 1);
  const [, llamaBlock, inLlama] = /^model\.layers\.(\d+)\.(.+)$/.exec(module) ?? [];
  const [, gpt2Block, inGpt2] = /^transformer\.h\.(\d+)\.(.+)$/.exec(module) ?? [];
  const inside = LLAMA[inLlama ?? ''] ?? GPT2[inGpt2 ?? ''];
  const there = inside === undefined ? OUTSIDE[module] : `blk.${llamaBlock ?? gpt2Block}.${inside}`;
  if (there === undefined || (kind === 'bias' && !BIASES[architecture]!.test(there)))
    throw new GgufError(`the tensor "${name}" has no place in llama.cpp's ${architecture}`, [
      'export it with format=hf',
    ]);
  return `${there}.${kind}`;
}

/** Only llama.cpp's `llama` turns neighbouring numbers of a head; the others turn halves, as Hugging Face does. */
export function arrangementOf(config: ModelConfig, shape: ModelShape, name: string): Arrangement {
  if (config.model_type === 'gpt2') return /\.c_(attn|proj|fc)\.weight$/.test(name) ? 'transposed' : 'same';
  if (architectureOf(config) !== 'llama') return 'same';
  if (/\.q_proj\.(weight|bias)$/.test(name)) return { heads: shape.heads };
  return /\.k_proj\.(weight|bias)$/.test(name) ? { heads: shape.keyValueHeads } : 'same';
}
