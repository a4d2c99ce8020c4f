/** THE LIST of every stage, method, model, source and operator: the one place that knows them all by name. */
import type { CallEntry, Catalog } from '../compiler/catalog.ts';
import { operators, sources } from './data/entries.ts';
import { freeze } from './methods/freeze.ts';
import { full } from './methods/full.ts';
import { lora } from './methods/lora.ts';
import type { Method } from './methods/method.ts';
import { gpt2 } from './models/gpt2.ts';
import { llama } from './models/llama.ts';
import type { ModelFamily } from './models/model.ts';
import { evaluation } from './stages/eval.ts';
import { exportStage } from './stages/export.ts';
import { gate } from './stages/gate.ts';
import { ppo } from './stages/ppo.ts';
import { pretrain } from './stages/pretrain.ts';
import { rm } from './stages/rm.ts';
import { sft } from './stages/sft.ts';
import type { Stage } from './stages/stage.ts';
import { defaultTemplate } from './tokenizers/chat-template.ts';

export const stages: Readonly<Record<string, Stage>> = {
  pretrain,
  sft,
  rm,
  ppo,
  eval: evaluation,
  gate,
  export: exportStage,
};
export const methods: Readonly<Record<string, Method>> = { full, freeze, lora };
export const models: Readonly<Record<string, ModelFamily>> = { llama, gpt2 };

const entriesOf = <T extends { readonly entry: CallEntry }>(table: Readonly<Record<string, T>>) =>
  Object.fromEntries(Object.entries(table).map(([name, { entry }]) => [name, entry])) as Record<
    string,
    T['entry']
  >;

/** What the compiler is handed. */
export const catalog: Catalog = {
  stages: entriesOf(stages),
  methods: entriesOf(methods),
  models: entriesOf(models),
  sources,
  operators,
  defaultTemplate,
};
