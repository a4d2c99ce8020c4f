/** A config.json as it is published → the family that computes it, with every key that matters checked. */
import type { Json } from '../../compiler/catalog.ts';
import { nearest } from '../../compiler/diagnostics/nearest.ts';
import { mustBe, wrongValue } from './config.ts';
import type { ModelConfig, ModelFamily } from './model.ts';
import { ModelError } from './model-error.ts';

export interface OpenedConfig {
  readonly family: ModelFamily;
  /** As it stands; `model_type` is added where only `architectures` says what it is. */
  readonly config: ModelConfig;
}

/**
 * @param json What config.json holds.
 * @param families Those that there are; `Object.values(models)` of the catalog.
 * @throws ModelError naming key, value and a way out: an architecture that is not supported, or not the one that
 * `model_type` names; a value of the wrong type or beyond every model; a setting that no program here computes.
 */
export function openConfig(json: unknown, families: readonly ModelFamily[]): OpenedConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new ModelError('config.json holds no object', ['take it from where the weights come from']);
  const given = json as { readonly [key: string]: Json };
  const family = familyOf(given, families);
  const config: ModelConfig =
    given.model_type === family.modelType
      ? (given as ModelConfig)
      : { ...given, model_type: family.modelType };
  mustBe(config, 'is_encoder_decoder', false);
  mustBe(config, 'is_causal', true);
  if (Object.keys(config.pruned_heads ?? {}).length > 0)
    throw new ModelError('config.json has pruned_heads, which is not supported', [
      'open the checkpoint that the heads were taken from',
    ]);
  family.shape(config);
  family.parameters(config);
  return { family, config };
}

function familyOf(config: { readonly [key: string]: Json }, families: readonly ModelFamily[]): ModelFamily {
  const type = textOf(config, 'model_type');
  const architecture = architectureOf(config);
  const byType = families.find((family) => family.modelType === type);
  const byName = families.find(({ architectures }) => architectures.includes(architecture ?? ''));
  if (architecture === undefined && type === undefined)
    throw new ModelError('config.json has neither model_type nor architectures', [
      `it needs one of ${families.map(({ modelType }) => `"model_type": "${modelType}"`).join(', ')}`,
    ]);
  if (byName && byType && byName !== byType) throw disagreement(byType, byName, architecture!);
  if (byType && (byName || architecture === undefined)) return byType;
  if (byName && type === undefined) return byName;
  if (byName)
    throw new ModelError(
      `config.json has model_type=${JSON.stringify(type)}, which is not supported, with architectures=["${architecture}"]`,
      [`if it computes what a ${architecture} does, set model_type to "${byName.modelType}"`],
    );
  throw unsupported(type, architecture, families);
}

function disagreement(byType: ModelFamily, byName: ModelFamily, architecture: string): ModelError {
  return new ModelError(
    `config.json has model_type="${byType.modelType}" and architectures=["${architecture}"], which are two families`,
    [
      `if the weights are those of a ${architecture}, set model_type to "${byName.modelType}"`,
      `if not, set architectures to ["${byType.architectures[0]}"]`,
    ],
  );
}

function unsupported(
  type: string | undefined,
  architecture: string | undefined,
  families: readonly ModelFamily[],
): ModelError {
  const languageModels = families.map(({ architectures }) => architectures[0]!);
  const all = families.flatMap(({ architectures }) => architectures);
  const types = families.map(({ modelType }) => modelType);
  const near = architecture === undefined ? nearest(type!, types) : nearest(architecture, all);
  const what =
    architecture === undefined
      ? `model_type=${JSON.stringify(type)}`
      : `architectures=[${JSON.stringify(architecture.slice(0, 60))}]`;
  return new ModelError(
    `config.json has ${what}, which is not supported (known: ${(architecture === undefined ? types : languageModels).join(', ')})`,
    near === undefined
      ? ['start from a model of one of these']
      : [`the nearest that is supported is ${near}`],
  );
}

function textOf(config: { readonly [key: string]: Json }, key: string): string | undefined {
  const value = config[key] ?? null;
  if (value === null) return undefined;
  if (typeof value === 'string') return value.slice(0, 100);
  throw wrongValue(key, value, 'a name in quotes');
}

function architectureOf({ architectures }: { readonly [key: string]: Json }): string | undefined {
  const value = architectures ?? null;
  if (value === null || (Array.isArray(value) && value.length === 0)) return undefined;
  const first = Array.isArray(value) ? value[0] : undefined;
  if (typeof first === 'string') return first;
  throw wrongValue('architectures', value, 'a list of names');
}
