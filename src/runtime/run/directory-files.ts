/** The JSON files of a model's directory. */
import { join } from 'node:path';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import {
  CONFIG_LIMITS,
  jsonObject,
  readModelFile,
  readModelJson,
  TOKENIZER_LIMITS,
} from '../checkpoints/model-files.ts';
import type { ModelConfig } from '../models/model.ts';
import type { TokenizerConfig, TokenizerFiles, TokenizerJson } from '../tokenizers/tokenizer-files.ts';

/** @throws CheckpointError where there is none, or it is not a JSON object with a `model_type`. */
export async function readConfig(directory: string): Promise<ModelConfig> {
  const config = await readObject(directory, 'config.json');
  if (typeof config.model_type === 'string') return config as ModelConfig;
  throw new CheckpointError(join(directory, 'config.json'), 'names no `model_type`');
}

/** @throws CheckpointError where there is no such file, or it is not a JSON object. */
export async function readObject(directory: string, file: string): Promise<Record<string, unknown>> {
  const found = await readModelJson(directory, file, CONFIG_LIMITS);
  if (found !== undefined) return found;
  throw new CheckpointError(join(directory, file), 'is missing');
}

/** undefined where the directory has no tokenizer. @throws CheckpointError for files that are not JSON. */
export async function readTokenizerFiles(directory: string): Promise<TokenizerFiles | undefined> {
  const bytes = await readModelFile(directory, 'tokenizer.json', TOKENIZER_LIMITS.bytes);
  if (bytes === undefined) return undefined;
  const json = jsonObject(join(directory, 'tokenizer.json'), bytes, TOKENIZER_LIMITS);
  const config = await readModelJson(directory, 'tokenizer_config.json', CONFIG_LIMITS);
  return {
    json: json as unknown as TokenizerJson,
    raw: bytes.toString('utf8'),
    config: (config ?? {}) as TokenizerConfig,
  };
}

/** Ids that end a text: of generation_config.json, or else of config.json. */
export async function endIds(directory: string, config: ModelConfig): Promise<readonly number[]> {
  const generation = await readModelJson(directory, 'generation_config.json', CONFIG_LIMITS);
  const ids = [generation?.eos_token_id ?? config.eos_token_id].flat();
  return ids.filter((id): id is number => Number.isSafeInteger(id) && (id as number) >= 0);
}
