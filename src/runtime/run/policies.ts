/**
 * Policies and reward models between memory and directories. A directory is in Hugging Face layout: a whole model, or
 * an adapter in PEFT layout. An adapter's directory names the artifact of its base in `ftc.json`.
 */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../../compiler/catalog.ts';
import { models } from '../catalog.ts';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import { readSafetensors, writeSafetensors } from '../checkpoints/safetensors.ts';
import { mergePeft } from '../methods/merge-peft.ts';
import type { ModelConfig, ModelFamily } from '../models/model.ts';
import type { Tensor } from '../programs/ops.ts';
import { SCORE } from '../stages/parts/reward-programs.ts';
import type { Policy, Reward, TrainedModel } from '../stages/stage.ts';
import { writeFileAtomically } from '../store/atomic-file.ts';
import { storeError } from '../store/store-error.ts';
import { stopTokensOf } from '../tokenizers/chat-template.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizers/load-tokenizer.ts';
import type { TokenizerFiles } from '../tokenizers/tokenizer-files.ts';

const BASE_LINK = 'ftc.json';
interface Link {
  /** Hash of the artifact that an adapter changes. */
  readonly base: string;
}
const WHOLE = 'model.safetensors';
const ADAPTER_FILES = ['adapter_model.safetensors', 'adapter_config.json'] as const;
const FILES_BESIDE = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'generation_config.json'];
const ADAPTER_HEAD = `base_model.model.${SCORE}`;

/** What one directory holds, earlier adapters merged. */
interface Opened {
  readonly config: ModelConfig;
  readonly weights: ReadonlyMap<string, Tensor>;
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

/** A model's directory outside any store: whole, or an adapter beside its base. */
export async function readPolicy(directory: string): Promise<Policy> {
  return policyOf(
    await openDirectory(directory, (base) =>
      openDirectory(base, () => Promise.reject(new Error('a base has no base'))),
    ),
  );
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
  const whole = join(directory, 'model.safetensors');
  if (existsSync(whole)) {
    const { [SCORE]: score, ...weights } = Object.fromEntries(await readSafetensors(whole));
    return { config, files, weights: new Map(Object.entries(weights)), score };
  }
  const adapterPath = join(directory, 'adapter_model.safetensors');
  if (!existsSync(adapterPath))
    throw new CheckpointError(directory, 'holds neither model.safetensors nor adapter_model.safetensors');
  const { base } = (await readJson(directory, BASE_LINK)) as Link;
  const adapter = await readSafetensors(adapterPath);
  const settings = (await readJson(directory, 'adapter_config.json')) as Record<string, Json>;
  const { weights } = await openBase(base);
  const changed = mergePeft(weights, adapter, settings);
  return {
    config,
    files,
    weights: new Map([...weights].map(([name, value]) => [name, changed.get(name) ?? value])),
    score: adapter.get(ADAPTER_HEAD),
  };
}

async function readJson(directory: string, file: string): Promise<unknown> {
  const path = join(directory, file);
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new CheckpointError(path, missing ? 'is missing' : `is not JSON (${(error as Error).message})`);
  }
}

const writeJson = (directory: string, file: string, value: unknown) =>
  writeFileAtomically(join(directory, file), `${JSON.stringify(value, null, 2)}\n`);

/** The base weights with the trained ones in their place; heads and adapters left out. */
function wholeWeights({ policy, trainable }: TrainedModel): Map<string, Tensor> {
  return new Map([...policy.weights].map(([name, value]) => [name, trainable.get(name) ?? value]));
}

/** Files beside the weights: config, tokenizer with the chat template, how to generate. */
async function writeBeside(directory: string, policy: Policy): Promise<void> {
  await writeJson(directory, 'config.json', policy.config);
  await writeJson(directory, 'tokenizer.json', policy.tokenizerFiles.json);
  await writeJson(directory, 'tokenizer_config.json', policy.tokenizerFiles.config);
  await writeJson(directory, 'generation_config.json', {
    eos_token_id: policy.stop.length === 1 ? policy.stop[0] : policy.stop,
    pad_token_id: policy.tokenizer.pad,
  });
}

async function writeAdapter(
  directory: string,
  model: TrainedModel,
  base: string,
  heads: ReadonlyMap<string, Tensor>,
): Promise<void> {
  const { config, export: exported } = model.method.adapter!;
  await writeSafetensors(
    join(directory, 'adapter_model.safetensors'),
    new Map([...exported(model.trainable), ...heads]),
  );
  await writeJson(
    directory,
    'adapter_config.json',
    heads.size > 0 ? { ...config, modules_to_save: ['score'], task_type: 'SEQ_CLS' } : config,
  );
  await writeJson(directory, BASE_LINK, { base });
}

/** `base`: hash of the artifact that the policy came from; an adapter is written where there is one to stand on. */
export async function savePolicy(
  directory: string,
  model: TrainedModel,
  base: string | undefined,
): Promise<void> {
  await writeBeside(directory, model.policy);
  if (model.method.adapter && base !== undefined) return writeAdapter(directory, model, base, new Map());
  const changed = model.method.adapter?.merge(model.policy.weights, model.trainable) ?? new Map();
  await writeSafetensors(join(directory, 'model.safetensors'), new Map([...wholeWeights(model), ...changed]));
}

export async function saveReward(
  directory: string,
  model: TrainedModel,
  score: Tensor,
  base: string | undefined,
): Promise<void> {
  await writeBeside(directory, model.policy);
  if (model.method.adapter && base !== undefined)
    return writeAdapter(directory, model, base, new Map([[ADAPTER_HEAD, score]]));
  await writeSafetensors(
    join(directory, 'model.safetensors'),
    new Map([...wholeWeights(model), [SCORE, score]]),
  );
}

/** Names of what was written. Errors: CheckpointError where an adapter is asked for and the artifact is a whole model. */
export async function exportPolicy(
  target: string,
  as: 'merged' | 'adapter',
  base: string,
  loader: PolicyLoader,
): Promise<string[]> {
  const policy = await loader.policy(base);
  const source = loader.directory(base);
  if (as === 'adapter' && !existsSync(join(source, ADAPTER_FILES[0])))
    throw new CheckpointError(
      source,
      'the policy that reaches this stage is a whole model, not an adapter; use `as=merged`',
    );
  try {
    await mkdir(target, { recursive: true });
    await writeBeside(target, policy);
    // What an export of the other kind left here would be taken for this one.
    for (const file of as === 'merged' ? ADAPTER_FILES : [WHOLE])
      await rm(join(target, file), { force: true });
    if (as === 'merged') await writeSafetensors(join(target, WHOLE), policy.weights);
    else for (const file of ADAPTER_FILES) await copyFile(join(source, file), join(target, file));
  } catch (error) {
    throw storeError(error, target);
  }
  return [...FILES_BESIDE, ...(as === 'merged' ? [WHOLE] : ADAPTER_FILES)];
}
