/** PEFT's adapter_config.json. */
import type { Json } from '../../compiler/catalog.ts';
import type { LinearLayer } from '../models/model.ts';
import type { Adapter } from './lora-adapters.ts';

export interface LoraSettings {
  readonly r: number;
  readonly alpha: number;
  readonly dropout: number;
  readonly rslora: boolean;
}

/**
 * The config under which PEFT computes the same: modules by the shortest name that picks no other linear layer, and
 * where slices of a fused weight are stored as one adapter of rank n · r, a rank and an alpha of its own.
 */
export function peftConfig(
  adapters: readonly Adapter[],
  linears: readonly LinearLayer[],
  { r, alpha, dropout, rslora }: LoraSettings,
): Record<string, Json> {
  const adapted = new Set(adapters.map((adapter) => adapter.module));
  const others = linears
    .map((l) => l.weight.replace(/\.weight$/, ''))
    .filter((module) => !adapted.has(module));
  const shortName = (module: string): string => {
    const words = module.split('.');
    const leaf = words.at(-1)!;
    return others.some((other) => other.endsWith(`.${leaf}`)) ? words.slice(-2).join('.') : leaf;
  };
  const split = adapters.filter((adapter) => adapter.parts.length > 1);
  const pattern = (value: (parts: number) => number) =>
    Object.fromEntries(split.map(({ module, parts }) => [shortName(module), value(parts.length)]));
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    r,
    lora_alpha: alpha,
    lora_dropout: dropout,
    bias: 'none',
    use_rslora: rslora,
    init_lora_weights: true,
    inference_mode: true,
    modules_to_save: null,
    base_model_name_or_path: null,
    target_modules: [...new Set(adapters.map(({ module }) => shortName(module)))],
    fan_in_fan_out: adapters.some((adapter) => adapter.layout === 'in,out'),
    rank_pattern: pattern((parts) => parts * r),
    alpha_pattern: pattern((parts) => (rslora ? Math.sqrt(parts) : parts) * alpha),
  };
}
