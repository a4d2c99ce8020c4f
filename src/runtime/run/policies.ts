/**
 * Policies and reward models from directories. A directory is in Hugging Face layout: a whole model, or an adapter in PEFT
 * layout. An adapter that ftc wrote says in `ftc.json` where its base is; of another the base is given, or named inside.
 */
import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import { hasWeights } from '../checkpoints/checkpoint-tensors.ts';
import { findModelFile } from '../checkpoints/model-files.ts';
import type { ModelConfig, ModelFamily } from '../models/model.ts';
import type { Tensor } from '../programs/ops.ts';
import type { QuantizationOptions } from '../quantization/quantized-tensor.ts';
import { LazyWeights } from '../stages/lazy-weights.ts';
import { SCORE } from '../stages/parts/reward-programs.ts';
import type { Policy, Reward } from '../stages/stage.ts';
import { chatTemplateOf, stopTokensOf } from '../tokenizers/chat-template.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizers/load-tokenizer.ts';
import type { TokenizerFiles } from '../tokenizers/tokenizer-files.ts';
import { ADAPTER_FILES, checkBaseName, namedBase, openAdapterOn } from './adapter-directory.ts';
import { endIds, readConfig, readObject, readTokenizerFiles } from './directory-files.ts';
import { missingTokenizer } from './missing-tokenizer.ts';
import { familyOf, openWholeModel, refuseOtherQuantization } from './model-directory.ts';
import { readModelLink } from './model-link.ts';
import { throughCodes } from './weights.ts';
import { withoutWeights } from './weights-problem.ts';

export { WHOLE } from '../checkpoints/checkpoint-tensors.ts';

export const BASE_LINK = 'ftc.json';
export interface Link {
  /** What an adapter changes: the hash of an artifact, or beside an export the path of its directory, relative to this one. */
  readonly base: string;
  /** Weights of the base that were quantized when the adapter was trained: their values are what it changes. */
  readonly quantized?: QuantizationOptions & { readonly weights: readonly string[] };
}

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
  /** Whether it has no output layer. */
  readonly headless: boolean;
}

/** Opens artifacts by hash, each once: adapters of one base share its tensors. */
export class PolicyLoader {
  private readonly opened = new Map<string, Promise<Opened>>();
  constructor(private readonly directoryOf: (hash: string) => string) {}

  async policy(hash: string): Promise<Policy> {
    return policyOf(await this.open(hash));
  }

  async reward(hash: string): Promise<Reward> {
    return rewardOf(await this.open(hash));
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
      if (existsSync(link)) pending.push((await readLink(this.directoryOf(hash))).base);
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
    const opening = openDirectory(this.directoryOf(hash), [], (base) => this.open(base));
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

/**
 * A policy with an adapter in PEFT's layout folded in, and the adapter's reward head where it has one.
 * @param given What the base is called, `org/name` or its directory: another name inside the adapter is an error.
 * @throws CheckpointError where the adapter is damaged, made for another base, or has a setting that ftc does not compute
 */
export async function openAdapter(directory: string, base: Policy, given?: string): Promise<Policy | Reward> {
  if (given !== undefined) await checkBaseName(directory, given);
  const weights =
    base.weights instanceof LazyWeights
      ? base.weights
      : new LazyWeights({ names: [...base.weights.keys()], read: (name) => base.weights.get(name)! });
  const { score, ...adapted } = await openAdapterOn(directory, base.config, weights);
  return { ...base, ...adapted, ...(score && { score }) };
}

/** `above`: the directories that stand on this one. */
async function openPath(path: string, above: readonly string[] = []): Promise<Opened> {
  const directory = await realpath(path).catch(() => {
    throw new CheckpointError(path, 'no such directory');
  });
  if (above.includes(directory)) throw new CheckpointError(directory, 'is an adapter that stands on itself');
  const chain = [...above, directory];
  return openDirectory(directory, chain, (base) => {
    const at = /^[0-9a-f]{64}$/.test(base) ? join(directory, '..', base) : resolve(directory, base);
    if (existsSync(at)) return openPath(at, chain);
    throw new CheckpointError(path, `is an adapter, and its base is not there any more (${base})`);
  });
}

function policyOf(opened: Opened): Policy {
  if (!opened.headless) return modelOf(opened);
  throw new CheckpointError(opened.directory, 'is a reward model: it has no output layer to write text with');
}

function modelOf({ directory, config, weights, files, ends }: Omit<Opened, 'headless' | 'score'>): Policy {
  const family = familyOf(config, directory);
  if (files === undefined)
    return { family, config, weights, ...missingTokenizer(directory), template: '', stop: ends };
  const tokenizer = loadTokenizer(files.json, files.config);
  const template = chatTemplateOf(files.config) ?? '';
  const stop = [...new Set([...stopTokensOf(tokenizer, template), ...ends])];
  return { family, config, weights, tokenizer, tokenizerFiles: files, template, stop };
}

function rewardOf(opened: Opened): Reward {
  if (opened.score) return { ...modelOf(opened), score: opened.score };
  throw new CheckpointError(opened.directory, `is no reward model: it has no ${SCORE}`, SCORE);
}

/** What a plan needs of a model, which no weights are read for. */
export interface PlannedPolicy {
  readonly family: ModelFamily;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly template: string;
}

/** @throws CheckpointError as `readPolicy`, but for the weights */
export async function readConfigAndTokenizer(directory: string): Promise<PlannedPolicy> {
  const link = await readModelLink(directory);
  const at = link?.directory ?? directory;
  const config = await readConfig(at);
  refuseOtherQuantization(at, config);
  const { family, tokenizer, template } = modelOf({
    directory: at,
    config,
    weights: new LazyWeights({ names: [], read: () => undefined as never }),
    ...(await besides(at, config)),
  });
  return { family, config, tokenizer, template };
}

async function openDirectory(
  directory: string,
  chain: readonly string[],
  openBase: (base: string) => Promise<Opened>,
): Promise<Opened> {
  const link = await readModelLink(directory);
  if (link !== undefined) {
    const opened = await openPath(link.directory, chain);
    if (link.adapter === undefined) return opened;
    await checkBaseName(link.adapter, link.name);
    return openAdapted(link.adapter, opened);
  }
  const adapter = await findModelFile(directory, ADAPTER_FILES[0]);
  if (adapter === undefined || (await hasWeights(directory))) return openWhole(directory);
  if (!existsSync(join(directory, BASE_LINK)))
    return openAdapted(directory, await openPath(await namedBase(directory), chain));
  const { base, quantized } = await readLink(directory);
  const opened = await openBase(base);
  return openAdapted(
    directory,
    quantized === undefined ? opened : { ...opened, weights: throughCodes(opened.weights, quantized) },
  );
}

async function readLink(directory: string): Promise<Link> {
  const link = await readObject(directory, BASE_LINK);
  if (typeof link.base === 'string') return link as unknown as Link;
  throw new CheckpointError(join(directory, BASE_LINK), 'does not say where the base is');
}

async function openWhole(directory: string): Promise<Opened> {
  const config = await readConfig(directory);
  const model = await openWholeModel(directory, config);
  if (model === undefined) throw await withoutWeights(directory);
  return { directory, config, ...model, ...(await besides(directory, config)) };
}

async function besides(directory: string, config: ModelConfig): Promise<Pick<Opened, 'files' | 'ends'>> {
  const ends = await endIds(directory, config);
  return { files: await readTokenizerFiles(directory, ends), ends };
}

/** The tokenizer is the adapter's where it brings one. */
async function openAdapted(directory: string, base: Opened): Promise<Opened> {
  const { config, headless } = base;
  const own = await besides(directory, config);
  return {
    directory,
    config,
    headless,
    ...(await openAdapterOn(directory, config, base.weights)),
    files: own.files ?? base.files,
    ends: own.files ? own.ends : base.ends,
  };
}
