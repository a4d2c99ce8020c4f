/** Parity is part of export: what is written answers as the model that was trained, or the export fails and leaves nothing. */
import { chmodSync, cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../src/runtime/checkpoints/safetensors.ts';
import { onnx } from '../../src/runtime/executables/onnx/onnx.ts';
import { conversationFor } from '../../src/runtime/run/conversation.ts';
import { exportPolicy } from '../../src/runtime/run/export-policy.ts';
import { type Answers, requireParity, requireTrained } from '../../src/runtime/run/parity.ts';
import { toleranceOf } from '../../src/runtime/run/parity-tolerances.ts';
import { PolicyLoader, readPolicy } from '../../src/runtime/run/policies.ts';
import { exportStage } from '../../src/runtime/stages/export.ts';
import { type ExportForm, StageError } from '../../src/runtime/stages/stage.ts';
import { goldenDirectory } from '../reference/checkpoints/read.ts';
import { PLAIN_FORM } from './plain-form.ts';
import { TINY, workshops } from './workshop.ts';

const workshop = workshops();
const template = `template plain = """
{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}
"""
`;
const trained = `${template}pretrain(${TINY} max_steps=3 template=plain) → sft(lora r=2 targets=q,v; max_steps=3 lr=0.05)`;

const forms = {
  whole: 'to="out/whole"',
  adapter: 'to="out/adapter" as=adapter',
  f16: 'to="out/f16" dtype=f16',
  bf16: 'to="out/bf16" dtype=bf16',
  nf4: 'to="out/nf4" quant=nf4',
  g32: 'to="out/f32.gguf"',
  g16: 'to="out/f16.gguf" quant=f16',
  q8_0: 'to="out/q8_0.gguf" quant=q8_0',
  q4_0: 'to="out/q4_0.gguf" quant=q4_0',
  onnx: 'to="out/onnx" format=onnx',
} as const;

test('every form is compared with what was trained, exactly or as far as its numbers go', async () => {
  const exports = Object.entries(forms).map(([name, options]) => `→ ${name}: export(${options})`);
  const shop = workshop(
    `${trained} ${exports.join(' ')} → rm(lora r=2; max_steps=1) → reward: export(to="out/reward" what=reward)`,
  );
  const said = await shop.run();
  expect(said.of('diagnostic')).toEqual([]);
  const parity = (stage: string) => said.finished(stage).metrics;
  for (const stage of ['whole', 'adapter', 'g32', 'onnx', 'reward']) {
    expect(parity(stage).parity_tolerance).toBe(1e-4);
    expect(parity(stage).parity_difference).toBeLessThan(2e-5);
    expect(parity(stage).parity_tokens).toBe(32);
  }
  for (const [stage, type] of [['f16'], ['bf16'], ['nf4'], ['g16', 'f16'], ['q8_0'], ['q4_0']]) {
    const { parity_difference: moved, parity_tolerance: limit } = parity(stage!);
    expect(limit).toBe(toleranceOf(type ?? stage!));
    // They do move, and far less than a format is allowed to.
    expect(moved, stage).toBeGreaterThan(1e-4);
    expect(moved, stage).toBeLessThan(limit! / 4);
  }
  const log = said.of('message').map(({ text }) => text);
  expect(log.filter((text) => /before, the model was within .* of what was trained/.test(text))).toHaveLength(
    11,
  );
});

test('a model that no longer answers as when its training ended is not written', async () => {
  const shop = workshop(trained);
  const { artifacts } = await shop.run();
  const copies = join(shop.directory, 'copies');
  for (const hash of Object.values(artifacts)) {
    const from = join(shop.store, 'objects/sha256', hash);
    if (existsSync(from)) cpSync(from, join(copies, hash), { recursive: true });
  }
  const artifact = artifacts['sft.policy']!;
  const to = join(shop.directory, 'out/model');
  const lineage = () => Promise.resolve({ stages: [] });
  const exported = (format: Partial<ExportForm>) =>
    exportPolicy(
      to,
      { ...PLAIN_FORM, to, ...format },
      {
        artifact,
        loader: new PolicyLoader((hash) => join(copies, hash)),
        load: (program, frozen) => onnx.load(program, frozen && { frozen }),
        lineage,
      },
    );
  const file = join(copies, artifact, 'adapter_model.safetensors');
  const tensors = await readSafetensors(file);
  const [name, tensor] = [...tensors].find(([key]) => key.includes('lora_B'))!;
  tensors.set(name, { ...tensor, data: (tensor.data as Float32Array).map((x) => x + 0.5) });
  chmodSync(join(copies, artifact), 0o755);
  await writeSafetensors(file, tensors);
  for (const form of [{}, { as: 'adapter' }, { format: 'onnx' }] as const) {
    const error = await exported(form).catch((e: unknown) => e);
    expect(error).toMatchObject({ kind: 'export-differs' });
    expect((error as StageError).message).toMatch(
      /^the model in the store, read again, is not the model in the run: at position \d+ the logit of token \d+ is /,
    );
    expect(readdirSync(join(shop.directory, 'out'))).toEqual([]);
  }
});

test('where text, tokens or logits part is said', async () => {
  const shop = workshop(`${template}pretrain(${TINY} max_steps=1 template=plain) → export(to="out")`);
  await shop.run();
  const model = await readPolicy(join(shop.directory, 'out'));
  const { text, ids } = conversationFor(model);
  const size = model.tokenizer.vocabularySize;
  const logits = Float32Array.from({ length: 32 * size }, (_, i) => Math.sin(i));
  const same: Answers = () => Promise.resolve(logits);
  const written = { name: 'm', conversation: { text, ids }, answers: same, tolerance: 1e-4 };
  expect(await requireParity(model, same, written)).toMatchObject({ tokens: 32, relative: 0 });
  const failure = async (changed: Partial<typeof written>) => {
    const error = await requireParity(model, same, { ...written, ...changed }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(StageError);
    const { message, place } = error as StageError;
    const { notes = [], help = [] } = place;
    return [message.replace('m, read again, is not the model in the run: ', ''), ...notes, help[0]];
  };
  const other = text.replace('<|end|>', '<|fin|>');
  const place = text.indexOf('<|end|>') + 3;
  expect(await failure({ conversation: { text: other, ids } })).toEqual([
    `its chat template writes ${JSON.stringify(other.slice(place - 1, place + 23))} where the run's writes ${JSON.stringify(text.slice(place - 1, place + 23))}`,
    `the first differing character is number ${place} of ${text.length}`,
    expect.stringContaining('fault'),
  ]);
  const turned = ids.map((id, i) => (i === 4 ? id + 1 : id));
  expect((await failure({ conversation: { text, ids: turned } }))[0]).toBe(
    `token 5 of the same text is ${ids[4]! + 1}, not ${ids[4]}`,
  );
  expect((await failure({ conversation: { text, ids: ids.slice(0, -1) } })).slice(0, 2)).toEqual([
    `token ${ids.length} of the same text is missing, not ${ids.at(-1)}`,
    `tokens: ${ids.length - 1}, in the run ${ids.length}`,
  ]);
  const moved = (by: number) => logits.map((x, i) => (i === 3 * size + 7 ? x + by : x));
  const found = await failure({ answers: () => Promise.resolve(moved(0.01)) });
  expect(found[0]).toMatch(/^at position 4 the logit of token 7 is /);
  expect(found[1]).toMatch(
    /^the largest difference is 0.0141 of the spread of the logits; up to 0.0001 is taken/,
  );
  expect(found[2]).toContain('fault');
  const coarse = await failure({ answers: () => Promise.resolve(moved(3)), tolerance: 4 });
  expect(coarse[2]).toContain('too coarse for this model');
  expect((await failure({ answers: () => Promise.resolve(moved(Number.NaN)), tolerance: 4 }))[0]).toContain(
    'NaN',
  );
  const end = { dtype: 'f32', shape: [8, size], data: moved(0).slice(24 * size) } as const;
  expect(await requireTrained(model, same, { ids: ids.slice(0, 32), logits: end })).toBe(0);
  await expect(requireTrained(model, same, { ids: turned.slice(0, 32), logits: end })).rejects.toThrow(
    'token 5',
  );
});

test('a model without a tokenizer is compared by ids', async () => {
  const { text, ids } = conversationFor(await readPolicy(goldenDirectory('llama')));
  expect(text).toBe('');
  expect(new Set(ids).size).toBeGreaterThan(60);
});

test('the tolerances are those of the stage’s page', () => {
  const words = exportStage.entry.details!.replace(/\s+/g, ' ');
  const [f32, f16, bf16, q8_0] = ['f32', 'f16', 'bf16', 'q8_0'].map(toleranceOf);
  expect(words).toContain(
    `of ${f32} of their spread in f32, ${f16} in f16, ${bf16} in bf16, ${q8_0} in q8_0,`,
  );
  for (const type of ['q4_0', 'nf4', 'fp4']) expect(words).toContain(`${toleranceOf(type)} in four bits`);
});
