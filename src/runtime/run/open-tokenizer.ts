/** The tokenizer of a MODEL argument, without its weights. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import { findModelFile } from '../checkpoints/model-files.ts';
import type { ModelConfig } from '../models/model.ts';
import { chatTemplateOf } from '../tokenizers/chat-template.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizers/load-tokenizer.ts';
import type { TokenizerFiles } from '../tokenizers/tokenizer-files.ts';
import { endIds, readConfig, readObject, readTokenizerFiles } from './directory-files.ts';
import { readModelLink } from './model-link.ts';
import { modelDirectory } from './open-model.ts';
import { BASE_LINK } from './policies.ts';

export interface OpenedTokenizer {
  readonly tokenizer: Tokenizer;
  /** Jinja; empty where the model has none. */
  readonly template: string;
}

/** A directory with a tokenizer alone will do. */
const OWN = ['tokenizer.json', 'vocab.json', 'tokenizer.model', 'adapter_config.json'];

/** Errors: StageError for a model that is not there; CheckpointError, TokenizerError for a directory without a usable tokenizer. */
export async function openTokenizer(model: string, store: string): Promise<OpenedTokenizer> {
  const isOwn = OWN.some((file) => existsSync(join(model, file)));
  const directory = isOwn ? model : await modelDirectory(model, store);
  const files = await filesOf(directory);
  if (files === undefined)
    throw new CheckpointError(directory, 'has no tokenizer.json: it takes token ids, not text', undefined, [
      'put the tokenizer.json and tokenizer_config.json of the model beside its weights',
    ]);
  return { tokenizer: loadTokenizer(files.json, files.config), template: chatTemplateOf(files.config) ?? '' };
}

/** An adapter's own, else that of its base. */
async function filesOf(directory: string): Promise<TokenizerFiles | undefined> {
  const link = await readModelLink(directory);
  if (link !== undefined) {
    const own = link.adapter === undefined ? undefined : await filesOf(link.adapter);
    return own ?? filesOf(link.directory);
  }
  const hasConfig = (await findModelFile(directory, 'config.json')) !== undefined;
  const config = hasConfig ? await readConfig(directory) : ({} as ModelConfig);
  const own = await readTokenizerFiles(directory, await endIds(directory, config));
  if (own !== undefined || !existsSync(join(directory, BASE_LINK))) return own;
  const { base } = await readObject(directory, BASE_LINK);
  const isHash = /^[0-9a-f]{64}$/.test(String(base));
  return filesOf(join(directory, isHash ? '..' : '.', String(base)));
}
