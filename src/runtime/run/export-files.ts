/** An export in the layout of Hugging Face: one whole model, also in four bits or as a reward model, or the last adapter. */
import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { WrittenTensor } from '../checkpoints/safetensors.ts';
import { writeCheckpoint } from '../checkpoints/write-checkpoint.ts';
import type { ModelConfig } from '../models/model.ts';
import type { QuantizationOptions } from '../quantization/quantized-tensor.ts';
import { dtypeOf } from '../stages/estimates/export.ts';
import { SCORE } from '../stages/parts/reward-programs.ts';
import type { ExportForm, Policy, Reward } from '../stages/stage.ts';
import { StageError } from '../stages/stage.ts';
import { ADAPTER_FILES, adapterSettings } from './adapter-directory.ts';
import { readObject } from './directory-files.ts';
import { lacksTokenizer } from './missing-tokenizer.ts';
import { withDtype, writeBeside, writeJson } from './model-files-written.ts';
import { placeOf } from './model-origin.ts';
import { BASE_LINK, type Link } from './policies.ts';
import { quantizedExport } from './quantized-export.ts';
import { type NumberFormat, numbersAs, weightAs } from './written-weights.ts';

/** What was written, and words about it for the log. */
export interface WrittenFiles {
  readonly files: readonly string[];
  readonly notes: readonly string[];
  /** How the base was read that an adapter was trained beside, where that was in codes. */
  readonly baseCodes?: QuantizationOptions;
}

/** The number format of an export's weights; adapters stay as they were trained. */
export function numbersOf({ as, format, dtype }: ExportForm, config: ModelConfig): NumberFormat {
  if (as === 'adapter' || format === 'onnx') return 'f32';
  return dtype === 'base' ? dtypeOf(config) : dtype;
}

/** Errors: StageError where bitsandbytes has no such format; StoreError where the files cannot be written. */
export async function writeWhole(
  directory: string,
  model: Policy | Reward,
  form: ExportForm,
): Promise<WrittenFiles> {
  const dtype = numbersOf(form, model.config);
  const codes = form.quantized && quantizedExport(model, form.quantized, dtype);
  const score = 'score' in model ? model.score : undefined;
  const config = withDtype(codes?.config ?? model.config, dtype);
  const beside = await writeBeside(directory, {
    ...model,
    config: score === undefined ? config : rewardConfig(model, config),
  });
  const tensors = new Map(codes?.tensors ?? wholeTensors(model, dtype));
  if (score !== undefined)
    tensors.set(
      SCORE,
      numbersAs(SCORE, score.shape, dtype, () => score),
    );
  const weights = await writeCheckpoint(directory, tensors, form);
  return { files: [...beside, ...weights], notes: codes === undefined ? [] : [codes.note] };
}

/** Read one by one as they are written; a reward model has no output layer. */
function wholeTensors(model: Policy | Reward, dtype: NumberFormat): Map<string, WrittenTensor> {
  const { weights, family, config } = model;
  const specs = family.parameters(config).filter(({ part }) => part !== 'head' || !('score' in model));
  return new Map(
    specs.flatMap(({ name, shape }) =>
      weights.has(name) ? [[name, weightAs(weights, name, shape, dtype)] as const] : [],
    ),
  );
}

/** `LlamaForSequenceClassification` with one label, whose value is the reward. */
function rewardConfig(model: Policy, config: ModelConfig): ModelConfig {
  const [architecture] = (config.architectures ?? []) as string[];
  const family = architecture?.replace(/(ForCausalLM|LMHeadModel|ForSequenceClassification)$/, '') ?? '';
  return {
    ...config,
    architectures: [`${family}ForSequenceClassification`],
    num_labels: 1,
    id2label: { 0: 'reward' },
    label2id: { reward: 0 },
    // The reward is read at the last token that is not padding.
    pad_token_id: lacksTokenizer(model) ? (config.pad_token_id ?? null) : model.tokenizer.pad,
  };
}

const STACKED =
  'its base is an adapter too, and PEFT loads one at a time: export that stage with `as=merged` for a base that PEFT loads';

/**
 * The last adapter as PEFT loads it; `ftc.json` says where its base lies, from `target`.
 * Errors: StageError where the artifact in `source` is a whole model.
 */
export async function writeAdapter(
  { staging, target }: { readonly staging: string; readonly target: string },
  model: Policy | Reward,
  source: string,
  directoryOf: (base: string) => string,
): Promise<WrittenFiles> {
  if (!existsSync(join(source, ADAPTER_FILES[0])))
    throw new StageError(
      'stage-failed',
      `the ${'score' in model ? 'reward model' : 'policy'} that reaches this stage is a whole model, not an adapter`,
      { option: 'as', help: ['write `as=merged`'] },
    );
  const beside = await writeBeside(staging, model);
  await copyFile(join(source, ADAPTER_FILES[0]), join(staging, ADAPTER_FILES[0]));
  const link = (await readObject(source, BASE_LINK)) as unknown as Link;
  const base = await placeOf(directoryOf(link.base));
  const path = relative(target, base.directory);
  const settings = await adapterSettings(source);
  await writeJson(staging, ADAPTER_FILES[1], { ...settings, base_model_name_or_path: base.name ?? path });
  await writeJson(staging, BASE_LINK, { ...link, base: path });
  const stacked = existsSync(join(base.directory, ADAPTER_FILES[0]));
  return {
    files: [...beside, ...ADAPTER_FILES, BASE_LINK],
    notes: stacked ? [STACKED] : [],
    ...(link.quantized && { baseCodes: link.quantized }),
  };
}
