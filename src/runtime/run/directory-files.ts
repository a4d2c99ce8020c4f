/** The JSON files of a model's directory. */
import { join } from 'node:path';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import {
  CONFIG_LIMITS,
  findModelFile,
  jsonObject,
  readModelFile,
  readModelJson,
  TOKENIZER_LIMITS,
} from '../checkpoints/model-files.ts';
import type { ModelConfig } from '../models/model.ts';
import { assembleTokenizer } from '../tokenizers/assemble-tokenizer.ts';
import type { TokenizerFiles } from '../tokenizers/tokenizer-files.ts';

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

/**
 * undefined where the directory has no tokenizer. `ends`: ids that end a text, for a tokenizer that names none.
 * @throws CheckpointError for files that are not JSON, TokenizerError for a tokenizer that cannot be read
 */
export async function readTokenizerFiles(
  directory: string,
  ends: readonly number[] = [],
): Promise<TokenizerFiles | undefined> {
  const limitsOf = (name: string) => (LARGE.has(name) ? TOKENIZER_LIMITS : CONFIG_LIMITS);
  const bytesOf = (name: string) => readModelFile(directory, name, limitsOf(name).bytes);
  return assembleTokenizer(
    {
      text: async (name) => (await bytesOf(name))?.toString('utf8'),
      async object(name) {
        const bytes = await bytesOf(name);
        return bytes && jsonObject(join(directory, name), bytes, limitsOf(name));
      },
      has: async (name) => (await findModelFile(directory, name)) !== undefined,
    },
    ends,
  );
}

const LARGE: ReadonlySet<string> = new Set(['tokenizer.json', 'vocab.json', 'merges.txt']);

/** Ids that end a text: of generation_config.json, or else of config.json. */
export async function endIds(directory: string, config: ModelConfig): Promise<readonly number[]> {
  const generation = await readModelJson(directory, 'generation_config.json', CONFIG_LIMITS);
  const ids = [generation?.eos_token_id ?? config.eos_token_id].flat();
  return ids.filter((id): id is number => Number.isSafeInteger(id) && (id as number) >= 0);
}
