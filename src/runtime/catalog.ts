/** THE LIST of every stage, method, optimizer, model, source and operator: the one place that knows them all by name. */
import type { CallEntry, Catalog } from '../compiler/catalog.ts';
import { operators, sources } from './data/entries.ts';
import { freeze } from './methods/freeze.ts';
import { full } from './methods/full.ts';
import { lora } from './methods/lora.ts';
import type { Method } from './methods/method.ts';
import { qlora } from './methods/qlora.ts';
import { gpt2 } from './models/gpt2.ts';
import { llama } from './models/llama.ts';
import { mistral } from './models/mistral.ts';
import type { ModelFamily } from './models/model.ts';
import { qwen2 } from './models/qwen2.ts';
import { qwen3 } from './models/qwen3.ts';
import { adafactorKind } from './optimizers/adafactor.ts';
import { adam8bitKind } from './optimizers/adam8bit.ts';
import { adamwKind } from './optimizers/adamw.ts';
import { lionKind } from './optimizers/lion.ts';
import type { OptimizerKind } from './optimizers/optimizer-kind.ts';
import { pagedAdamwKind } from './optimizers/paged-adamw.ts';
import { pagedAdamw8bitKind } from './optimizers/paged-adamw8bit.ts';
import { sgdKind } from './optimizers/sgd.ts';
import { evaluation } from './stages/eval.ts';
import { exportStage } from './stages/export.ts';
import { gate } from './stages/gate.ts';
import { existingModels, open } from './stages/open.ts';
import { withOptimizers } from './stages/parts/optimizer-options.ts';
import { ppo } from './stages/ppo.ts';
import { pretrain } from './stages/pretrain.ts';
import { rm } from './stages/rm.ts';
import { sft } from './stages/sft.ts';
import type { Stage } from './stages/stage.ts';
import { defaultTemplate } from './tokenizers/chat-template.ts';

export const stages: Readonly<Record<string, Stage>> = {
  open,
  pretrain,
  sft,
  rm,
  ppo,
  eval: evaluation,
  gate,
  export: exportStage,
};
export const methods: Readonly<Record<string, Method>> = { full, freeze, lora, qlora };
export const optimizers: Readonly<Record<string, OptimizerKind>> = {
  adamw: adamwKind,
  sgd: sgdKind,
  lion: lionKind,
  adafactor: adafactorKind,
  adam8bit: adam8bitKind,
  paged_adamw: pagedAdamwKind,
  paged_adamw8bit: pagedAdamw8bitKind,
};
export const models: Readonly<Record<string, ModelFamily>> = { llama, mistral, qwen2, qwen3, gpt2 };

const entriesOf = <T extends { readonly entry: CallEntry }>(table: Readonly<Record<string, T>>) =>
  Object.fromEntries(Object.entries(table).map(([name, { entry }]) => [name, entry])) as Record<
    string,
    T['entry']
  >;

const optimizerEntries = entriesOf(optimizers);
const stageEntries = Object.entries(entriesOf(stages)).map(
  ([name, entry]) => [name, withOptimizers(entry, optimizerEntries)] as const,
);

const newModels = Object.fromEntries(
  Object.entries(entriesOf(models)).map(([name, entry]) => [name, { ...entry, weights: 'new' as const }]),
);

/** What the compiler is handed. */
export const catalog: Catalog = {
  stages: Object.fromEntries(stageEntries),
  methods: entriesOf(methods),
  optimizers: optimizerEntries,
  models: { ...newModels, ...existingModels },
  sources,
  operators,
  defaultTemplate,
};
