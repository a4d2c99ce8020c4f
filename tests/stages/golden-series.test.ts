/** A few steps of every stage of a tiny pipeline: the metrics are those of the golden file. */
import { expect, test } from 'vitest';
import { type Said, TINY, workshops } from '../run/workshop.ts';
import { expectGolden } from './golden.ts';

const workshop = workshops();
const series = (said: Said, stage: string, metrics: readonly string[]) =>
  metrics.map((name) => [`${stage} ${name}`, said.series(stage, name)] as const);
const result = (said: Said, stage: string, metrics: readonly string[]) =>
  [`${stage} ${metrics.join(', ')}`, metrics.map((name) => said.finished(stage).metrics[name]!)] as const;

test('metrics of every stage', async () => {
  const shop = workshop(`
data rows = jsonl("data/sft.jsonl") → split(test=20%)
data pairs = jsonl("data/rm.jsonl") → split(test=20%)
data notes = jsonl("data/notes.jsonl") → split(test=20%)
pipeline tiny =
pretrain(data=notes ${TINY} max_steps=5 batch=8)
→ sft(data=rows lora r=4 targets=q,v dropout=0.1; max_steps=5 batch=4 accumulate=2)
→ whole: sft(data=rows full; max_steps=4 batch=8 schedule=wsd weight_decay=0.1)
→ top: sft(data=rows freeze layers=1; max_steps=3 batch=8 schedule=cosine final_lr=10%)
→ rm(data=pairs lora r=4 targets=all rslora=true; max_steps=4 batch=4 centering=0.01)
→ ppo(lora r=4; steps=2 batch=4 minibatch=2 epochs=2 max_new_tokens=4 kl_estimator=k3)
→ eval(data=rows max_new_tokens=4)
→ gate(eval.loss <= 10)
→ export(to="out")`);
  const said = await shop.run();
  expect(said.end).toMatchObject({ status: 'ok' });
  const supervised = ['loss', 'learning_rate', 'grad_norm', 'entropy'];
  expectGolden(
    Object.fromEntries([
      ...series(said, 'pretrain', supervised),
      ...series(said, 'sft', supervised),
      ...series(said, 'whole', supervised),
      ...series(said, 'top', supervised),
      ...series(said, 'rm', ['loss', 'margin', 'mean_reward', 'grad_norm']),
      ...series(said, 'ppo', [
        'loss/policy_avg',
        'loss/value_avg',
        'objective/entropy',
        'reward/mean',
        'grad_norm',
      ]),
      ...['pretrain', 'sft', 'whole', 'top', 'rm'].map((stage) =>
        result(said, stage, ['initial_eval_loss', 'eval_loss']),
      ),
      result(said, 'eval', ['loss', 'perplexity', 'mean_reward', 'rows']),
      result(said, 'gate', ['eval.loss <= 10']),
    ]),
  );
});
