/** The files beside a model's weights: config, tokenizer with its chat template, how to generate. */
import { join } from 'node:path';
import type { Json } from '../../compiler/catalog.ts';
import type { ModelConfig } from '../models/model.ts';
import type { Policy } from '../stages/stage.ts';
import { writeFileAtomically } from '../store/atomic-file.ts';
import type { TokenizerConfig } from '../tokenizers/tokenizer-files.ts';
import { lacksTokenizer } from './missing-tokenizer.ts';

type Written = Pick<Policy, 'config' | 'tokenizer' | 'tokenizerFiles' | 'template' | 'stop'>;

export const writeJson = (directory: string, file: string, value: unknown) =>
  writeFileAtomically(join(directory, file), `${JSON.stringify(value, null, 2)}\n`);

/** What a model directory of ours has, whatever its weights. Returns the names of the files. */
export async function writeBeside(directory: string, policy: Written): Promise<string[]> {
  const files: [string, string][] = [
    ['config.json', jsonText(policy.config)],
    ['generation_config.json', jsonText(generationConfig(policy))],
  ];
  if (!lacksTokenizer(policy)) {
    const { json, raw, config } = policy.tokenizerFiles;
    // The text that was read, where there is one: parsing and printing it again could change a number or an order.
    files.push(['tokenizer.json', raw ?? jsonText(json)], ['tokenizer_config.json', jsonText(config)]);
    files.push(['special_tokens_map.json', jsonText(specialTokensMap(config))]);
    if (policy.template !== '') files.push(['chat_template.jinja', policy.template]);
  }
  for (const [name, text] of files) await writeFileAtomically(join(directory, name), text);
  return files.map(([name]) => name);
}

const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function generationConfig(policy: Written): Record<string, Json> {
  const { config, stop } = policy;
  const begin = config.bos_token_id ?? null;
  return {
    ...(begin !== null && { bos_token_id: begin }),
    eos_token_id: stop.length === 1 ? stop[0]! : [...stop],
    ...(lacksTokenizer(policy) ? {} : { pad_token_id: policy.tokenizer.pad }),
  };
}

const SPECIAL = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];

/** The special tokens of a tokenizer_config.json, by role. */
function specialTokensMap(config: TokenizerConfig): Record<string, unknown> {
  const keys = [...SPECIAL, 'additional_special_tokens'];
  return Object.fromEntries(keys.flatMap((key) => (config[key] == null ? [] : [[key, config[key]]])));
}

/** A config that says in which numbers the weights are stored, under the key that it had. */
export function withDtype(config: ModelConfig, dtype: 'f32' | 'f16' | 'bf16'): ModelConfig {
  const name = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' }[dtype];
  return { ...config, ...('dtype' in config ? { dtype: name } : { torch_dtype: name }) };
}
