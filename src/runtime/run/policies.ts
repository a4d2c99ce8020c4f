/**
 * Policies and reward models from directories. A directory is in Hugging Face layout: a whole model, or
 * an adapter in PEFT layout. An adapter's directory names the artifact of its base in `ftc.json`.
 */
import { existsSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../../compiler/catalog.ts';
import { models } from '../catalog.ts';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import { readSafetensors } from '../checkpoints/safetensors.ts';
import { mergePeft } from '../methods/merge-peft.ts';
import type { ModelConfig, ModelFamily } from '../models/model.ts';
import type { Tensor } from '../programs/ops.ts';
import type { QuantizationOptions } from '../quantization/quantized-tensor.ts';
import type { LazyWeights } from '../stages/lazy-weights.ts';
import { SCORE } from '../stages/parts/reward-programs.ts';
import type { Policy, Reward } from '../stages/stage.ts';
import { stopTokensOf } from '../tokenizers/chat-template.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizers/load-tokenizer.ts';
import type { TokenizerFiles } from '../tokenizers/tokenizer-files.ts';
import { openWeights, throughCodes, withChanged } from './weights.ts';

export const BASE_LINK = 'ftc.json';
export interface Link {
  /** What an adapter changes: the hash of an artifact, or beside an export the path of its directory, relative to this one. */
  readonly base: string;
  /** Weights of the base that were quantized when the adapter was trained: their values are what it changes. */
  readonly quantized?: QuantizationOptions & { readonly weights: readonly string[] };
}
/** Files of a model's directory. */
export const WHOLE = 'model.safetensors';
export const ADAPTER_FILES = ['adapter_model.safetensors', 'adapter_config.json'] as const;
export const ADAPTER_HEAD = `base_model.model.${SCORE}`;

/** What one directory holds, earlier adapters merged. */
interface Opened {
  readonly config: ModelConfig;
  readonly weights: LazyWeights;
  readonly files: TokenizerFiles;
  readonly score: Tensor | undefined;
}

/** Opens artifacts by hash, each once: adapters of one base share its tensors. */
export class PolicyLoader {
  private readonly opened = new Map<string, Promise<Opened>>();
  constructor(private readonly directoryOf: (hash: string) => string) {}

  async policy(hash: string): Promise<Policy> {
    return policyOf(await this.open(hash));
  }

  async reward(hash: string): Promise<Reward> {
    const opened = await this.open(hash);
    if (!opened.score)
      throw new CheckpointError(this.directoryOf(hash), `is no reward model: it has no ${SCORE}`, SCORE);
    return { ...policyOf(opened), score: opened.score };
  }

  directory(hash: string): string {
    return this.directoryOf(hash);
  }

  /** Lets go of everything but these artifacts and those that they stand on. */
  async retain(hashes: Iterable<string>): Promise<void> {
    const kept = new Set<string>();
    const pending = [...hashes];
    for (let hash = pending.pop(); hash !== undefined; hash = pending.pop()) {
      if (kept.has(hash)) continue;
      kept.add(hash);
      const link = join(this.directoryOf(hash), BASE_LINK);
      if (existsSync(link)) pending.push(((await readJson(this.directoryOf(hash), BASE_LINK)) as Link).base);
    }
    for (const hash of this.opened.keys()) if (!kept.has(hash)) this.opened.delete(hash);
  }

  /** Artifacts that are in memory. */
  get held(): readonly string[] {
    return [...this.opened.keys()];
  }

  private open(hash: string): Promise<Opened> {
    const known = this.opened.get(hash);
    if (known) return known;
    const opening = openDirectory(this.directoryOf(hash), (base) => this.open(base));
    this.opened.set(hash, opening);
    return opening;
  }
}

/** A model's directory by its path: whole, or an adapter that says where its base lies. Artifacts lie side by side. */
export async function readPolicy(directory: string): Promise<Policy> {
  return policyOf(await openPath(directory));
}

async function openPath(path: string): Promise<Opened> {
  const directory = await realpath(path);
  return openDirectory(directory, (base) => {
    const at = /^[0-9a-f]{64}$/.test(base) ? join(directory, '..', base) : join(directory, base);
    if (existsSync(at)) return openPath(at);
    throw new CheckpointError(path, `is an adapter, and its base is not there any more (${base})`);
  });
}

function policyOf({ config, weights, files }: Opened): Policy {
  const tokenizer = loadTokenizer(files.json, files.config);
  const template = typeof files.config.chat_template === 'string' ? files.config.chat_template : '';
  return {
    family: familyOf(config),
    config,
    weights,
    tokenizer,
    tokenizerFiles: files,
    template,
    stop: stopTokensOf(tokenizer, template),
  };
}

function familyOf(config: ModelConfig): ModelFamily {
  const family = Object.values(models).find((m) => m.modelType === config.model_type);
  if (family) return family;
  throw new CheckpointError(
    'config.json',
    `model_type ${config.model_type} is not one of ${Object.values(models)
      .map((m) => m.modelType)
      .join(', ')}`,
  );
}

/** What a plan needs of a model: no weights are read. */
export async function readConfigAndTokenizer(
  directory: string,
): Promise<{ config: ModelConfig; tokenizer: Tokenizer }> {
  const { config, files } = await readBeside(directory);
  return { config, tokenizer: loadTokenizer(files.json, files.config) };
}

async function readBeside(directory: string): Promise<{ config: ModelConfig; files: TokenizerFiles }> {
  return {
    config: (await readJson(directory, 'config.json')) as ModelConfig,
    files: {
      json: (await readJson(directory, 'tokenizer.json')) as TokenizerFiles['json'],
      config: (await readJson(directory, 'tokenizer_config.json')) as TokenizerFiles['config'],
    },
  };
}

async function openDirectory(
  directory: string,
  openBase: (hash: string) => Promise<Opened>,
): Promise<Opened> {
  const { config, files } = await readBeside(directory);
  const file = join(directory, WHOLE);
  if (existsSync(file)) {
    const weights = await openWeights(file, turnedInCodes(config));
    return weights.has(SCORE)
      ? { config, files, weights: weights.without(SCORE), score: weights.get(SCORE) }
      : { config, files, weights, score: undefined };
  }
  const adapterPath = join(directory, ADAPTER_FILES[0]);
  if (!existsSync(adapterPath))
    throw new CheckpointError(directory, 'holds neither model.safetensors nor adapter_model.safetensors');
  if (!existsSync(join(directory, BASE_LINK)))
    throw new CheckpointError(directory, `is an adapter without ${BASE_LINK}, which says where its base is`);
  const { base, quantized } = (await readJson(directory, BASE_LINK)) as Link;
  const adapter = await readSafetensors(adapterPath);
  const settings = (await readJson(directory, ADAPTER_FILES[1])) as Record<string, Json>;
  const whole = (await openBase(base)).weights;
  const weights = quantized === undefined ? whole : throughCodes(whole, quantized);
  const changed = mergePeft(weights.unkept(), adapter, settings, turnedInCodes(config));
  return {
    config,
    files,
    weights: withChanged(weights, changed),
    score: adapter.get(ADAPTER_HEAD),
  };
}

/** Weights that are (in, out), which are kept (out, in) in codes. */
const turnedInCodes = (config: ModelConfig): Set<string> =>
  new Set(
    familyOf(config)
      .linears(config)
      .flatMap(({ layout, weight }) => (layout === 'in,out' ? [weight] : [])),
  );

async function readJson(directory: string, file: string): Promise<unknown> {
  const path = join(directory, file);
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new CheckpointError(path, missing ? 'is missing' : `is not JSON (${(error as Error).message})`);
  }
}
