/** Methods that cannot be: said before anything runs, at the words that are to blame, with a way out. */
import { beforeAll, describe, expect, it } from 'vitest';
import { lines } from '../run/tiny-data.ts';
import { temporaryDirectory, writeFiles } from '../temporary-directory.ts';
import { ftc } from './ftc.ts';

const text = Array.from({ length: 40 }, (_, i) => `The fox of house ${i} eats corn.\n\n`).join('');
const rows = lines(Array.from({ length: 12 }, (_, i) => ({ prompt: `fox ${i} `, completion: 'eats corn' })));
const cwd = temporaryDirectory({ 'data/pretrain.txt': text, 'data/sft.jsonl': rows });

const sized = (family: string, options = 'layers=1') =>
  `pretrain(model=${family}(${options} width=32 heads=2 context=32) vocabulary=300 max_steps=1)`;

async function planned(pipeline: string, ...words: string[]) {
  writeFiles(cwd, { 'a.ftp': `${pipeline}\n` });
  const { code, stdout } = await ftc(['plan', 'a.ftp', '--json', ...words], { cwd });
  const { diagnostics } = JSON.parse(stdout);
  return { code, diagnostics };
}

/** What a diagnostic points at. */
const blamed = (pipeline: string, { span }: { span: { start: number; end: number } }) =>
  pipeline.slice(span.start, span.end);

describe('a plan refuses', () => {
  it.each([
    ['a target that matches nothing', 'gpt2', 'lora targets=q,gate', 'gate', 'it has q, k, v'],
    ['the output layer of a tied model', 'llama', 'qlora targets=head', 'head', 'write `embed`'],
    ['blocks that the model does not have', 'llama', 'freeze layers=3', 'layers=3', 'write `layers=1`'],
    ['the head of a tied model', 'gpt2', 'freeze layers=1 parts=mlp,head', 'head', 'write `embeddings`'],
    ['dora of the embedding', 'llama', 'lora targets=embed dora=yes', 'dora=yes', 'leave'],
    ['a rank that the matrices do not have', 'llama', 'qlora r=64', 'r=64', 'use r=32 or less'],
  ])('%s', async (_, family, method, blame, way) => {
    const pipeline = `${sized(family)} → sft(${method}; max_steps=1)`;
    const { code, diagnostics } = await planned(pipeline);
    expect(code).toBe(1);
    expect(diagnostics).toMatchObject([{ severity: 'error', code: 'FTP6002', stage: 'sft' }]);
    expect(blamed(pipeline, diagnostics[0])).toBe(blame);
    expect([diagnostics[0].message, ...diagnostics[0].help].join('\n')).toContain(way);
  });

  it('a number format that there is not, with the nearest one that there is', async () => {
    const pipeline = `${sized('llama')} → sft(qlora quant=nf5; max_steps=1)`;
    writeFiles(cwd, { 'a.ftp': `${pipeline}\n` });
    const ended = await ftc(['check', 'a.ftp'], { cwd });
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain('error[FTP2007 not-a-choice]: `nf5` is not a choice for `quant`');
    expect(ended.stdout).toContain('choices: nf4 fp4 int8 int4');
    expect(ended.stdout).toContain('did you mean `nf4`?');
  });

  it.each([
    ['48', 64],
    ['2k', 2048],
    ['1M', 1_048_576],
  ])('a block that is no power of two, %s, before a model is looked at', async (block, power) => {
    const pipeline = `${sized('llama')} → sft(qlora block=${block}; max_steps=1)`;
    writeFiles(cwd, { 'a.ftp': `${pipeline}\n` });
    const ended = await ftc(['check', 'a.ftp', '--json'], { cwd });
    expect(ended.code).toBe(1);
    const [found, ...others] = JSON.parse(ended.stdout).diagnostics;
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      code: 'FTP2006',
      message: `\`block\` must be a power of two, not ${block}`,
      help: [`write ${power}`],
    });
    expect(blamed(pipeline, { span: found })).toBe(block);
  });

  it('codes on a device that cannot compute them', async () => {
    writeFiles(cwd, { 'a.ftp': `${sized('llama')} → sft(qlora quant=nf4; max_steps=1)\n` });
    const ended = await ftc(['plan', 'a.ftp', '--device', 'webgpu'], { cwd });
    expect(ended.code).toBe(6);
    expect(ended.stderr).toContain('error[FTP6005 no-device]: the device `webgpu` cannot be used');
    expect(ended.stderr).toContain('this machine offers: cpu');
  });
});

it('dora beside codes is computed', async () => {
  const { code, diagnostics } = await planned(`${sized('llama')} → sft(qlora dora=yes; max_steps=1)`);
  expect([code, diagnostics]).toEqual([0, []]);
});

describe('qlora beside an adapter', () => {
  beforeAll(async () => {
    const made = {
      'adapter.ftp': `${sized('llama')} → sft(lora r=2; max_steps=1) → export(to="adapter" as=adapter)\n`,
      'base.ftp': `${sized('llama')} → export(to="base")\n`,
      'deeper.ftp': `${sized('llama', 'layers=2')} → export(to="deeper")\n`,
      'other.ftp': `${sized('llama').replace('max_steps=1', 'max_steps=1 seed=7')} → export(to="other")\n`,
    };
    writeFiles(cwd, made);
    for (const file of Object.keys(made))
      expect(await ftc(['run', file, '--plain'], { cwd })).toMatchObject({ code: 0 });
  });

  const tuned = (base: string) => `sft(qlora r=2; model=local("${base}" adapter="adapter") max_steps=1)`;

  it.each([
    ['of another depth', 'deeper', /adapter: the base model has model\.layers\.1\./],
    ['of other weights', 'other', /adapter: is an adapter of ".+", and the weights of "other" are others$/],
  ])('the plan refuses a base %s, at its place', async (_, base, said) => {
    const { code, diagnostics } = await planned(tuned(base));
    expect(code).toBe(1);
    expect(diagnostics[0]).toMatchObject({ severity: 'error', code: 'FTP5011' });
    expect(diagnostics[0].message).toMatch(said);
    expect(blamed(tuned(base), diagnostics[0])).toMatch(/^(model=)?local\("\w+" adapter="adapter"\)$/);
    if (base === 'other') expect(diagnostics[0].help[0]).toMatch(/^open it on its base: `local\(/);
  });

  it('a copy of its own base is its base', async () => {
    const { code, diagnostics } = await planned(tuned('base'));
    expect([code, diagnostics]).toEqual([0, []]);
    expect((await ftc(['run', 'a.ftp', '--plain'], { cwd })).code).toBe(0);
  });
});
