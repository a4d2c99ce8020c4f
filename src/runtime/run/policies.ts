/**
 * Policies and reward models from directories. A directory is in Hugging Face layout: a whole model, or
 * an adapter in PEFT layout. An adapter's directory names the artifact of its base in `ftc.json`.
 */
import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Json } from '../../compiler/catalog.ts';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import { noWeights, WHOLE } from '../checkpoints/checkpoint-tensors.ts';
import { findModelFile } from '../checkpoints/model-files.ts';
import { readSafetensors } from '../checkpoints/safetensors.ts';
import { mergePeft } from '../methods/merge-peft.ts';
import type { ModelConfig } from '../models/model.ts';
import type { Tensor } from '../programs/ops.ts';
import type { QuantizationOptions } from '../quantization/quantized-tensor.ts';
import type { LazyWeights } from '../stages/lazy-weights.ts';
import { SCORE } from '../stages/parts/reward-programs.ts';
import type { Policy, Reward } from '../stages/stage.ts';
import { stopTokensOf } from '../tokenizers/chat-template.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizers/load-tokenizer.ts';
import type { TokenizerFiles } from '../tokenizers/tokenizer-files.ts';
import { endIds, readConfig, readObject, readTokenizerFiles } from './directory-files.ts';
import { missingTokenizer } from './missing-tokenizer.ts';
import { familyOf, openWholeModel, turnedInCodes } from './model-directory.ts';
import { throughCodes, withChanged } from './weights.ts';

export { WHOLE } from '../checkpoints/checkpoint-tensors.ts';
export const BASE_LINK = 'ftc.json';
export interface Link {
  /** What an adapter changes: the hash of an artifact, or beside an export the path of its directory, relative to this one. */
  readonly base: string;
  /** Weights of the base that were quantized when the adapter was trained: their values are what it changes. */
  readonly quantized?: QuantizationOptions & { readonly weights: readonly string[] };
}
/** Files of an adapter's directory. */
export const ADAPTER_FILES = ['adapter_model.safetensors', 'adapter_config.json'] as const;
export const ADAPTER_HEAD = `base_model.model.${SCORE}`;

/** What one directory holds, earlier adapters merged. */
interface Opened {
  readonly directory: string;
  readonly config: ModelConfig;
  readonly weights: LazyWeights;
  /** undefined where it has no tokenizer. */
  readonly files: TokenizerFiles | undefined;
  /** Ids that end a text, as its generation_config.json has them. */
  readonly ends: readonly number[];
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
    return rewardOf(opened);
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
      if (existsSync(link))
        pending.push(((await readObject(this.directoryOf(hash), BASE_LINK)) as unknown as Link).base);
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

/**
 * A model's directory by its path: whole, or an adapter that says where its base lies. Artifacts lie side by side. Without a
 * tokenizer the policy is good for ids; asking for its tokenizer is an error.
 * @throws CheckpointError naming the file, and the tensor where one is at fault
 */
export async function readPolicy(directory: string): Promise<Policy> {
  return policyOf(await openPath(directory));
}

/**
 * A reward model's directory (`LlamaForSequenceClassification` with one label).
 * @throws CheckpointError as `readPolicy`, and where it has no `score.weight`
 */
export async function readReward(directory: string): Promise<Reward> {
  return rewardOf(await openPath(directory));
}

/** A directory holds a policy, a reward model, or both. @throws CheckpointError as `readPolicy`. */
export async function readModel(directory: string): Promise<Policy | Reward> {
  const opened = await openPath(directory);
  return opened.score === undefined ? policyOf(opened) : rewardOf(opened);
}

async function openPath(path: string): Promise<Opened> {
  const directory = await realpath(path).catch(() => {
    throw new CheckpointError(path, 'no such directory');
  });
  return openDirectory(directory, (base) => {
    const at = /^[0-9a-f]{64}$/.test(base) ? join(directory, '..', base) : resolve(directory, base);
    if (existsSync(at)) return openPath(at);
    throw new CheckpointError(path, `is an adapter, and its base is not there any more (${base})`);
  });
}

function policyOf({ directory, config, weights, files, ends }: Opened): Policy {
  const family = familyOf(config);
  if (files === undefined)
    return { family, config, weights, ...missingTokenizer(directory), template: '', stop: ends };
  const tokenizer = loadTokenizer(files.json, files.config);
  const template = typeof files.config.chat_template === 'string' ? files.config.chat_template : '';
  const stop = [...new Set([...stopTokensOf(tokenizer, template), ...ends])];
  return { family, config, weights, tokenizer, tokenizerFiles: files, template, stop };
}

function rewardOf(opened: Opened): Reward {
  if (opened.score) return { ...policyOf(opened), score: opened.score };
  throw new CheckpointError(opened.directory, `is no reward model: it has no ${SCORE}`, SCORE);
}

/** What a plan needs of a model: no weights are read. */
export async function readConfigAndTokenizer(
  directory: string,
): Promise<{ config: ModelConfig; tokenizer: Tokenizer }> {
  const config = await readConfig(directory);
  const files = await readTokenizerFiles(directory);
  if (files === undefined) return { config, tokenizer: missingTokenizer(directory).tokenizer };
  return { config, tokenizer: loadTokenizer(files.json, files.config) };
}

async function openDirectory(
  directory: string,
  openBase: (hash: string) => Promise<Opened>,
): Promise<Opened> {
  const adapter = await findModelFile(directory, ADAPTER_FILES[0]);
  if (adapter === undefined || (await findModelFile(directory, WHOLE)) !== undefined)
    return openWhole(directory);
  if (!existsSync(join(directory, BASE_LINK)))
    throw new CheckpointError(directory, `is an adapter without ${BASE_LINK}, which says where its base is`);
  const { base, quantized } = (await readObject(directory, BASE_LINK)) as unknown as Link;
  const opened = await openBase(base);
  return openAdapted(
    directory,
    quantized === undefined ? opened : { ...opened, weights: throughCodes(opened.weights, quantized) },
  );
}

async function openWhole(directory: string): Promise<Opened> {
  const config = await readConfig(directory);
  const model = await openWholeModel(directory, config);
  if (model === undefined)
    throw await noWeights(directory, 'no model.safetensors, no adapter_model.safetensors');
  return { directory, config, ...model, ...(await besides(directory, config)) };
}

const besides = async (directory: string, config: ModelConfig): Promise<Pick<Opened, 'files' | 'ends'>> => ({
  files: await readTokenizerFiles(directory),
  ends: await endIds(directory, config),
});

async function openAdapted(directory: string, base: Opened): Promise<Opened> {
  const adapter = await readSafetensors(join(directory, ADAPTER_FILES[0]));
  const settings = (await readObject(directory, ADAPTER_FILES[1])) as Record<string, Json>;
  const { config, weights } = base;
  const changed = mergePeft(weights.unkept(), adapter, settings, turnedInCodes(config));
  const own = await besides(directory, config);
  return {
    directory,
    config,
    weights: withChanged(weights, changed),
    files: own.files ?? base.files,
    ends: own.files ? own.ends : base.ends,
    score: adapter.get(ADAPTER_HEAD),
  };
}
