/** A base in codes from one stage to the next: what is trained, saved, read again, sampled and exported is one model. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSafetensorsHeader } from '../../src/runtime/checkpoints/safetensors.ts';
import { codesAfter, keepingCodes } from '../../src/runtime/methods/kept-codes.ts';
import { qlora } from '../../src/runtime/methods/qlora.ts';
import { quantize } from '../../src/runtime/quantization/quantize.ts';
import type { KeptWeight, QuantizationOptions } from '../../src/runtime/quantization/quantized-tensor.ts';
import { PolicyLoader } from '../../src/runtime/run/policies.ts';
import { readTrainedAnswers } from '../../src/runtime/run/trained-answers.ts';
import { openWeights, transposed } from '../../src/runtime/run/weights.ts';
import { openStore } from '../../src/runtime/store/store.ts';
import { relativeError } from '../relative-error.ts';
import { atStep, type Said, type Workshop, workshops } from '../run/workshop.ts';

const workshop = workshops();
const rows = `jsonl("data/sft.jsonl") → split(test=30%)`;

async function policyOf(shop: Workshop, said: Said, artifact: string) {
  const store = await openStore(shop.store, { write: false });
  return new PolicyLoader((hash) => store.artifact(hash)).policy(said.artifacts[artifact]!);
}

describe.each([
  ['llama', 'llama(layers=1 width=32 heads=2 context=32)', 'quant=nf4'],
  ['llama', 'llama(layers=1 width=32 heads=2 context=32)', 'quant=int8 double_quant=false'],
  ['gpt2', 'gpt2(layers=1 width=32 heads=2 context=32)', 'quant=fp4 block=32'],
])('%s', (_, model, quant) => {
  test(`${quant}: the policy that is read again is the one that was trained`, async () => {
    const shop = workshop(
      `pretrain(model=${model} vocabulary=300 max_steps=6)
      → sft(data=${rows} qlora r=4 ${quant}; max_steps=4 batch=4)
      → after: eval(data=${rows})
      → rm(lora r=2; max_steps=2 batch=4)
      → ppo(qlora r=4 ${quant}; steps=2 batch=4 minibatch=4 epochs=1 max_new_tokens=4 missing_eos_penalty=0 lr=0.01)
      → export(to="out" quant=nf4)`,
    );
    const said = await shop.run();
    expect(said.of('diagnostic')).toEqual([]);
    // `eval` reads the saved policy in f32: the base through its codes, the adapter folded in.
    const trained = said.finished('sft').metrics;
    expect(said.finished('after').metrics.loss).toBeCloseTo(trained.eval_loss!, 5);
    // The base in f32 is another model.
    expect(trained.initial_eval_loss).not.toBeCloseTo(trained.eval_loss!, 5);
    const first = said.of('step', 'ppo')[0]!.metrics;
    expect(first['val/ratio']).toBeCloseTo(1, 5);
    expect(Math.abs(first['objective/kl']!)).toBeLessThan(1e-5);

    const policy = await policyOf(shop, said, 'ppo.policy');
    const file = join(shop.directory, 'out', 'model.safetensors');
    const linears = policy.family.linears(policy.config);
    const turned = new Set(linears.flatMap((l) => (l.layout === 'in,out' ? [l.weight] : [])));
    const options: QuantizationOptions = { format: 'nf4', block: 64, doubleQuantization: true };
    const plain = await openWeights(file, new Set());
    for (const { weight } of linears) {
      const value = policy.weights.get(weight)!;
      const { shape, data } = turned.has(weight) ? transposed(value) : value;
      expect(plain.codes(weight)).toEqual(quantize({ shape, data: data as Float32Array }, options));
    }
    const whole = await openWeights(file, turned);
    expect([...whole.keys()].sort()).toEqual([...policy.weights.keys()].sort());
    for (const [name, { shape }] of policy.weights) expect(whole.get(name)!.shape).toEqual(shape);
    const config = JSON.parse(shop.read('out/config.json'));
    expect(config.quantization_config).toMatchObject({
      quant_method: 'bitsandbytes',
      load_in_4bit: true,
      bnb_4bit_quant_type: 'nf4',
      bnb_4bit_use_double_quant: true,
    });
    const { tensors } = await readSafetensorsHeader(file);
    const [{ weight }] = linears as [(typeof linears)[number]];
    expect(tensors.get(weight)!.format).toBe('U8');
    expect(tensors.has(`${weight}.quant_state.bitsandbytes__nf4`)).toBe(true);
  });
});

describe.each([
  ['llama', 'llama(layers=1 width=32 heads=2 context=32)', 'quant=nf4', 'targets=q,v,up'],
  ['gpt2', 'gpt2(layers=1 width=32 heads=2 context=32)', 'quant=int4 double_quant=false', 'targets=q,v,up'],
])('%s: codes with an adapter beside them', (_, model, quant, targets) => {
  const nothing = 'max_steps=1 batch=4 lr=1e-12';
  const stages = (...names: string[]) =>
    workshop([`pretrain(model=${model} vocabulary=300 max_steps=6)`, ...names].join(' → '));
  const answers = async (shop: Workshop, said: Said, artifact: string) => {
    const store = await openStore(shop.store, { write: false });
    return (await readTrainedAnswers(store.artifact(said.artifacts[artifact]!)))!.logits.data;
  };

  test('are what the next stages begin with, and what is read again', async () => {
    const shop = stages(
      `one: sft(data=${rows} qlora r=4 ${targets} ${quant}; max_steps=4 batch=4 lr=0.02)`,
      `two: sft(data=${rows} qlora r=2 ${targets} ${quant}; ${nothing})`,
      `three: sft(data=${rows} qlora r=2 ${quant}; max_steps=4 batch=4 lr=0.02)`,
      `after: eval(data=${rows})`,
      `rm(qlora r=2 ${quant}; max_steps=2 batch=4)`,
      `ppo(qlora r=4 ${quant}; steps=2 batch=4 minibatch=4 epochs=1 max_new_tokens=4 missing_eos_penalty=0 lr=0.01)`,
    );
    const said = await shop.run();
    expect(said.of('diagnostic')).toEqual([]);
    const [first, second] = [
      await answers(shop, said, 'one.policy'),
      await answers(shop, said, 'two.policy'),
    ];
    expect(relativeError(second, first)).toBeLessThan(1e-6);
    // And what they are is not what the base is, nor what its codes are.
    expect(said.finished('one').metrics.initial_eval_loss).not.toBeCloseTo(
      said.finished('one').metrics.eval_loss!,
      3,
    );
    expect(said.finished('three').metrics.initial_eval_loss).toBeCloseTo(
      said.finished('one').metrics.eval_loss!,
      5,
    );
    expect(said.finished('after').metrics.loss).toBeCloseTo(said.finished('three').metrics.eval_loss!, 5);
    const step = said.of('step', 'ppo')[0]!.metrics;
    expect(step['val/ratio']).toBeCloseTo(1, 5);
    expect(Math.abs(step['objective/kl']!)).toBeLessThan(1e-5);
    const { weights, family, config } = await policyOf(shop, said, 'ppo.policy');
    const { weight } = family.linears(config)[0]!;
    const kept = 'beside' in weights ? weights.beside(weight)! : undefined;
    expect(kept!.adapters.map(({ down }) => down.shape[0])).toEqual(
      // A fused weight has the ranks of its slices together.
      family.modelType === 'gpt2' ? [8, 4, 2, 4] : [4, 2, 2, 4],
    );
    // What the plan takes them for.
    const target = {
      config,
      parameters: family.parameters(config),
      linears: family.linears(config),
      blocks: family.blocks(config),
    };
    const format = quant === 'quant=nf4' ? { quant: 'nf4' } : { quant: 'int4', double_quant: false };
    const some = { targets: ['q', 'v', 'up'] };
    const trained = [{ r: 4, ...some }, { r: 2, ...some }, { r: 2 }, { r: 4 }];
    const methods = trained.map((options) => qlora.apply(target, { ...format, ...options }));
    const planned = methods.reduce(
      (codes, method) =>
        codesAfter(
          keepingCodes(method, (name) => codes.get(name)),
          codes,
        ),
      new Map<string, KeptWeight>(),
    );
    for (const name of weights.keys()) {
      const found = 'beside' in weights ? weights.beside(name) : undefined;
      const beside = found?.adapters.map(({ down, scale, turned }) => ({
        rank: down.shape[0],
        scale,
        turned,
      }));
      expect(planned.get(name)?.beside, name).toEqual(beside);
    }
    // The codes are those of the base, however much was trained beside them.
    const base = (await policyOf(shop, said, 'pretrain.policy')).weights.get(weight)!;
    expect(kept!.codes.codes).toEqual(
      quantize(
        { shape: base.shape, data: base.data as Float32Array },
        { format: kept!.codes.format, doubleQuantization: quant === 'quant=nf4' },
      ).codes,
    );
  });

  test('are merged and quantized again for codes of another kind', async () => {
    const shop = stages(
      `one: sft(data=${rows} qlora r=4 ${quant}; max_steps=4 batch=4 lr=0.02)`,
      `two: sft(data=${rows} qlora r=2 quant=fp4; ${nothing})`,
    );
    const said = await shop.run();
    const first = await answers(shop, said, 'one.policy');
    expect(relativeError(await answers(shop, said, 'two.policy'), first)).toBeGreaterThan(1e-3);
  });
});

test('checkpoints of the stage hold what is trained, and nothing of the base', async () => {
  const shop = workshop(
    `pretrain(model=llama(layers=1 width=32 heads=2 context=32) vocabulary=300 max_steps=1)
    → sft(data=${rows} qlora r=4 targets=q; max_steps=4 batch=4 save_every=1)`,
  );
  await shop.run({ stopAfter: atStep('sft', 2) });
  const [key] = readdirSync(join(shop.store, 'work'));
  const files = readdirSync(join(shop.store, 'work', key!), { recursive: true, encoding: 'utf8' });
  const tensors = await Promise.all(
    files
      .filter((file) => file.endsWith('.safetensors'))
      .map(async (file) => (await readSafetensorsHeader(join(shop.store, 'work', key!, file))).tensors),
  );
  const names = tensors.flatMap((one) => [...one.keys()]);
  const adapter = ['A', 'B'].map(
    (part) => `base_model.model.model.layers.0.self_attn.q_proj.lora_${part}.weight`,
  );
  // Each with its two moments.
  const kept = ['', 'optimizer:m:', 'optimizer:v:'].flatMap((of) => adapter.map((name) => of + name));
  expect(new Set(names)).toEqual(new Set([...kept, 'optimizer-step']));
});

describe('the card of an adapter', () => {
  const exported = (model: string, quant: string) =>
    workshop(
      `pretrain(model=${model}(layers=1 width=32 heads=2 context=32) vocabulary=300 max_steps=1)
      → sft(data=${rows} ${quant}; max_steps=1 batch=4) → export(to="out" as=adapter)`,
    );
  const config = (type: string, nested: string) =>
    `codes = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="${type}", bnb_4bit_use_double_quant=${nested})\n`;

  test.each([
    ['llama', 'qlora r=2', 'nf4 (blocks of 64, their scales in eight bits)', config('nf4', 'True')],
    ['llama', 'qlora r=2 quant=fp4 double_quant=no', 'fp4 (blocks of 64)', config('fp4', 'False')],
  ])('beside codes that transformers makes: %s, %s', async (model, quant, said, code) => {
    const shop = exported(model, quant);
    await shop.run();
    const card = shop.read('out/README.md');
    expect(card).toContain(`The adapter was trained beside its base in ${said}; `);
    expect(card).toContain(
      `${code}base = AutoModelForCausalLM.from_pretrained("BASE", quantization_config=codes)\n`,
    );
  });

  test.each([
    ['llama', 'qlora r=2 quant=int8', 'int8 (blocks of 64, their scales in eight bits)'],
    ['llama', 'qlora r=2 block=32', 'nf4 (blocks of 32, their scales in eight bits)'],
    // Its weights lie the other way round, and so do its blocks.
    ['gpt2', 'qlora r=2 double_quant=no', 'nf4 (blocks of 64)'],
  ])('beside codes that only ftc makes: %s, %s', async (model, quant, said) => {
    const shop = exported(model, quant);
    await shop.run();
    const card = shop.read('out/README.md');
    expect(card).toContain(`The adapter was trained beside its base in ${said}; `);
    expect(card).toContain('an export with `as=merged` holds what was trained');
    expect(card).not.toContain('quantization_config');
  });

  test('beside a base that is as it is', async () => {
    const shop = exported('llama', 'lora r=2');
    await shop.run();
    expect(shop.read('out/README.md')).not.toContain('trained beside');
  });
});

test('what bitsandbytes cannot load is refused before anything runs', async () => {
  const shop = workshop(
    `pretrain(model=llama(layers=1 width=32 heads=2 context=32) vocabulary=300 max_steps=1) → export(to="out" as=adapter quant=nf4)`,
  );
  await expect(shop.plan()).resolves.toMatchObject({ diagnostics: [{ code: 'FTP6002' }] });
});
