/** PEFT's adapter_config.json: what of it changes the numbers, and which modules it means. */
import type { Json } from '../../compiler/catalog.ts';
import { namesEnding, namesMatching } from './name-pattern.ts';
import { PeftError } from './peft-error.ts';

export type PeftConfig = Readonly<Record<string, Json>>;

/** Read here or in `merge-peft.ts`. */
const READ = [
  'peft_type', 'r', 'lora_alpha', 'use_rslora', 'use_dora', 'rank_pattern', 'alpha_pattern', 'target_modules',
  'exclude_modules', 'layers_to_transform', 'layers_pattern', 'modules_to_save', 'bias', 'init_lora_weights',
  'base_model_name_or_path', 'ensure_weight_tying',
]; // biome-ignore format: a list
/** Of training, of how start values are found, or only words. PEFT decides `fan_in_fan_out` by the layer too. */
const WITHOUT_EFFECT = [
  'task_type', 'auto_mapping', 'peft_version', 'revision', 'inference_mode', 'lora_dropout', 'fan_in_fan_out',
  'megatron_core', 'qalora_group_size', 'loftq_config', 'eva_config', 'corda_config', 'runtime_config',
  'enable_lora', 'merge_weights',
]; // biome-ignore format: a list
const KNOWN = new Set([...READ, ...WITHOUT_EFFECT]);

/** Start values that PEFT takes from the base's weights and subtracts from them: its adapter then stands on another base. */
const CHANGED_BASE = /^(pissa|olora|corda|loftq|lora_ga)/i;

/** Errors: PeftError for another kind of adapter, and a setting that changes the numbers and that ftc does not compute. */
export function checkSettings(config: PeftConfig): void {
  const { peft_type: type = 'LORA', init_lora_weights: init } = config;
  if (type !== 'LORA')
    throw new PeftError(`is an adapter of the kind peft_type=${JSON.stringify(type)}; ftc reads LORA`);
  if (typeof init === 'string' && CHANGED_BASE.test(init))
    throw new PeftError(
      `the adapter starts from init_lora_weights="${init}", which changes the base; save it with PEFT's path_initial_model_for_weight_conversion`,
    );
  for (const [key, value] of Object.entries(config))
    if (!KNOWN.has(key) && !isEmpty(value))
      throw new PeftError(`has ${key}=${JSON.stringify(value).slice(0, 80)}, which ftc does not compute`, [
        'merge it with PEFT (`merge_and_unload`) and open the merged model',
      ]);
  for (const key of ['rank_pattern', 'alpha_pattern']) numbersOf(config[key], key);
  positive(config.r ?? 8, 'r');
  positive(config.lora_alpha ?? 8, 'lora_alpha');
}

const isEmpty = (value: Json | undefined): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  (typeof value === 'object' && Object.keys(value).length === 0);

function positive(value: Json | undefined, key: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new PeftError(`has ${key}=${JSON.stringify(value)}, not a number above 0`);
}

function numbersOf(value: Json | undefined, key: string): readonly (readonly [string, number])[] {
  if (value === undefined || value === null) return [];
  if (typeof value !== 'object' || Array.isArray(value))
    throw new PeftError(`has ${key}=${JSON.stringify(value).slice(0, 80)}, not an object`);
  return Object.entries(value).map(([name, one]) => [name, positive(one, key)]);
}

/**
 * The number of a pattern for each module that one of its keys means: the first that is the module's path, or the end of
 * it behind a dot, as PEFT looks them up. Keys are regular expressions.
 */
export function numbersByPattern(
  pattern: Json | undefined,
  modules: readonly string[],
): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const [key, number] of numbersOf(pattern, 'a pattern'))
    for (const module of namesMatching(`(?:.*\\.)?(?:${key})`, modules))
      if (!found.has(module)) found.set(module, number);
  return found;
}

/**
 * Which of the model's modules the adapter is for, as PEFT picks them.
 * @param linears Those that `all-linear` means: every linear layer but the output.
 */
export function targetedModules(
  config: PeftConfig,
  modules: readonly string[],
  linears: ReadonlySet<string>,
): Set<string> {
  const { target_modules: targets, exclude_modules: excluded } = config;
  const picked =
    targets === 'all-linear' ? linears : (picks(targets, modules, 'target_modules') ?? new Set<string>());
  const out = picks(excluded, modules, 'exclude_modules');
  const inBlocks = blockFilter(config);
  return new Set([...picked].filter((module) => !out?.has(module) && inBlocks(module)));
}

/** `value`: a regular expression for whole names, or a list of ends of names. */
function picks(value: Json | undefined, modules: readonly string[], key: string): Set<string> | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return namesMatching(value, modules);
  return namesEnding(strings(value, key), modules);
}

/** Errors: PeftError where it is not a list of strings. */
export function strings(value: Json | undefined, key: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value as string[];
  throw new PeftError(`has ${key}=${JSON.stringify(value).slice(0, 80)}, not a list of names`);
}

function blockFilter(config: PeftConfig): (module: string) => boolean {
  const { layers_to_transform: layers, layers_pattern: pattern } = config;
  if (layers === undefined || layers === null) return () => true;
  const wanted = new Set([layers].flat());
  const names = typeof pattern === 'string' ? [pattern] : strings(pattern, 'layers_pattern');
  return (module) => {
    const parts = module.split('.');
    const at = parts.findLastIndex(
      (part, i) =>
        i > 1 &&
        i < parts.length - 1 &&
        /^\d+$/.test(part) &&
        (names.length === 0 || names.includes(parts[i - 1]!)),
    );
    return at >= 0 && wanted.has(Number(parts[at]));
  };
}
