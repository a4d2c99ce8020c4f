/** Whether an adapter in PEFT's layout fits a model: every tensor has its place there, and every setting is heeded. */
import type { ParameterSpec } from '../models/model.ts';
import type { Shape, Tensor } from '../programs/ops.ts';
import { type PeftPair, pairsOf, withoutPrefix } from './merge-peft.ts';
import type { MethodTarget } from './method.ts';
import { namesEnding } from './name-pattern.ts';
import { PeftError } from './peft-error.ts';
import {
  checkSettings,
  numbersByPattern,
  type PeftConfig,
  strings,
  targetedModules,
} from './peft-settings.ts';

type Tensors = ReadonlyMap<string, Tensor>;

const OF_PAIRS = /\.(lora_[AB]\.weight|lora_embedding_[AB]|lora_magnitude_vector(\.weight)?)$/;
/** Whole tensors beside the adapters: `modules_to_save`, trained biases, an output layer. */
const WRAPPED = /\.(base_layer|original_module|modules_to_save(\.default)?)(?=\.(weight|bias)$)/;

/**
 * The tensors that an adapter puts in place of the base's, by the base's names; and its heads, which the base does not have.
 * @param head A tensor that only the adapter may have (`score.weight`).
 * Errors: PeftError naming a setting that is not computed, a tensor without a place, a module that is not targeted, a
 * targeted one without a tensor, a rank or shape that differs, and what would part an output layer from its embedding.
 */
export function checkPeft(
  target: MethodTarget,
  tensors: Tensors,
  config: PeftConfig,
  head: string,
): { readonly replaced: Map<string, Tensor>; readonly head: Tensor | undefined } {
  checkSettings(config);
  const specs = new Map(target.parameters.map((spec) => [spec.name, spec]));
  const pairs = pairsOf(tensors);
  const replaced = wholeTensors(tensors, pairs, specs, head);
  const own = replaced.get(head);
  replaced.delete(head);
  const tied = !target.parameters.some(({ part }) => part === 'head');
  checkTargets(target, pairs, config, tied);
  checkShapes(target, pairs, config, specs, tied);
  checkSaved(config, replaced, own);
  if (tied) checkTiedPairs(pairs, config);
  return { replaced: tied ? tiedTensors(replaced, config, specs) : replaced, head: own };
}

const OUTPUT = 'lm_head';

function wholeTensors(
  tensors: Tensors,
  pairs: readonly PeftPair[],
  specs: ReadonlyMap<string, ParameterSpec>,
  head: string,
): Map<string, Tensor> {
  const adapted = new Set(pairs.map(({ module }) => module));
  const result = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    const part = OF_PAIRS.exec(name)?.[0];
    if (part !== undefined) {
      if (adapted.has(withoutPrefix(name.slice(0, -part.length)))) continue;
      throw new PeftError(`the adapter has ${name} without the tensor A of this module`);
    }
    const weight = withoutPrefix(name).replace(WRAPPED, '');
    const spec = specs.get(weight);
    if (spec === undefined && weight !== head && weight !== `${OUTPUT}.weight`)
      throw new PeftError(`the adapter has the tensor ${name}, which has no place in the base model`);
    if (spec !== undefined && !sameShape(spec.shape, tensor.shape))
      throw new PeftError(
        `the adapter has ${weight} as (${tensor.shape.join(', ')}), the base has it as (${spec.shape.join(', ')}): it is for another base`,
      );
    result.set(weight, tensor);
  }
  return result;
}

const sameShape = (a: Shape, b: Shape) => a.length === b.length && a.every((size, i) => size === b[i]);

const moduleOf = (weight: string): string => weight.replace(/\.weight$/, '');

function checkTargets(
  { parameters, linears }: MethodTarget,
  pairs: readonly PeftPair[],
  config: PeftConfig,
  tied: boolean,
): void {
  const modules = parameters.flatMap(({ name, shape, part }) =>
    shape.length === 2 && part !== 'norms' && name.endsWith('.weight') ? [moduleOf(name)] : [],
  );
  if (tied) modules.push(OUTPUT);
  const targeted = targetedModules(config, modules, new Set(linears.map(({ weight }) => moduleOf(weight))));
  const adapted = new Set(pairs.map(({ module }) => module));
  for (const module of adapted) {
    if (!modules.includes(module))
      throw new PeftError(`the adapter changes ${module}, which the base model does not have`);
    if (!targeted.has(module))
      throw new PeftError(
        `the adapter changes ${module}, which its adapter_config.json does not name as a target`,
      );
  }
  const lacking = [...targeted].find((module) => !adapted.has(module));
  if (lacking !== undefined)
    throw new PeftError(
      `the base model has ${lacking}, which adapter_config.json names as a target, and the adapter has no tensors for it`,
    );
}

function checkShapes(
  { linears }: MethodTarget,
  pairs: readonly PeftPair[],
  config: PeftConfig,
  specs: ReadonlyMap<string, ParameterSpec>,
  tied: boolean,
): void {
  const turned = new Set(linears.flatMap(({ layout, weight }) => (layout === 'in,out' ? [weight] : [])));
  const ranks = numbersByPattern(
    config.rank_pattern,
    pairs.map(({ module }) => module),
  );
  for (const { module, weight, down, up, magnitude, embedding } of pairs) {
    const { shape } = specs.get(tied && module === OUTPUT ? embeddingOf(specs) : weight)!;
    const [outputs, inputs] = embedding || turned.has(weight) ? shape.toReversed() : shape;
    const rank = ranks.get(module) ?? Number(config.r ?? DEFAULT_RANK);
    const found = `the adapter of ${module} has A (${down.shape.join(', ')}) and B (${up.shape.join(', ')})`;
    if (down.shape.length !== 2 || up.shape.length !== 2 || down.shape[0] !== up.shape[1])
      throw new PeftError(`${found}, which are not (r, in) and (out, r)`);
    if (down.shape[1] !== inputs || up.shape[0] !== outputs)
      throw new PeftError(
        `${found}; the base has a layer of ${inputs} inputs and ${outputs} outputs there: it is for another base`,
      );
    if (down.shape[0] !== rank)
      throw new PeftError(`${found}, of rank ${down.shape[0]}; its adapter_config.json says r=${rank}`);
    if ((magnitude !== undefined) !== (config.use_dora === true))
      throw new PeftError(
        `${found}, and use_dora=${config.use_dora === true} does not agree with its tensors`,
      );
    if (magnitude !== undefined && magnitude.data.length !== outputs)
      throw new PeftError(`${found}, and ${magnitude.data.length} lengths for ${outputs} outputs`);
  }
}

const DEFAULT_RANK = 8;

const embeddingOf = (specs: ReadonlyMap<string, ParameterSpec>): string =>
  [...specs.values()].find(({ part }) => part === 'embeddings')!.name;

/** An adapter of one use of a tied weight would part the two. */
function checkTiedPairs(pairs: readonly PeftPair[], { ensure_weight_tying: kept }: PeftConfig): void {
  const table = pairs.find(({ embedding }) => embedding);
  const output = pairs.find(({ module }) => module === OUTPUT);
  if (table === undefined && output === undefined) return;
  const same = table && output && turnedEqual(table.down, output.up) && turnedEqual(table.up, output.down);
  if (same || (table && !output && kept === true)) return;
  const which =
    table && output ? 'the embedding and the output layer differently' : `only ${(table ?? output)!.module}`;
  throw new PeftError(
    `the adapter changes ${which}, and both are one weight in the base (tie_word_embeddings)`,
    ['train it with ensure_weight_tying=True, or on a base that is saved with tie_word_embeddings=false'],
  );
}

const turnedEqual = ({ shape: [rows, columns], data }: Tensor, other: Tensor): boolean =>
  other.shape[0] === columns &&
  other.shape[1] === rows &&
  data.every((value, i) => value === other.data[(i % columns!) * rows! + Math.floor(i / columns!)]);

/** What adapter_config.json says is saved must be there. */
function checkSaved(
  { modules_to_save: names }: PeftConfig,
  replaced: Tensors,
  head: Tensor | undefined,
): void {
  const modules = [...new Set([...replaced.keys()].map((name) => name.replace(/\.(weight|bias)$/, '')))];
  for (const name of strings(names, 'modules_to_save')) {
    const isHead = name === 'score' || name === 'classifier';
    if (isHead ? head === undefined : namesEnding([name], modules).size === 0)
      throw new PeftError(
        `adapter_config.json names modules_to_save=${name}, and the adapter has no tensor for it`,
      );
  }
}

/**
 * Whole tensors on a base whose output layer is its embedding: PEFT trains two copies, which then are one weight no more,
 * unless `ensure_weight_tying` keeps them so.
 */
function tiedTensors(
  replaced: Map<string, Tensor>,
  config: PeftConfig,
  specs: ReadonlyMap<string, ParameterSpec>,
): Map<string, Tensor> {
  const embedding = embeddingOf(specs);
  const [table, output] = [replaced.get(embedding), replaced.get(`${OUTPUT}.weight`)];
  replaced.delete(`${OUTPUT}.weight`);
  if (table === undefined && output === undefined) return replaced;
  if (table && output ? equal(table, output) : config.ensure_weight_tying === true && table) return replaced;
  if (table === undefined || output === undefined)
    throw new PeftError(
      `the adapter has a ${table ? embedding : `${OUTPUT}.weight`} of its own, which is embedding and output layer in one in the base (tie_word_embeddings)`,
      ['merge it with PEFT (`merge_and_unload`) on a base that is saved with tie_word_embeddings=false'],
    );
  throw new PeftError(
    `the adapter has ${embedding} and ${OUTPUT}.weight with different values, which are one weight in the base (tie_word_embeddings)`,
  );
}

const equal = (a: Tensor, b: Tensor): boolean =>
  sameShape(a.shape, b.shape) && a.data.every((value, i) => Object.is(value, b.data[i]));
