/** Plan, run, why, runs, generate and clean with the real engine, on a model of a few thousand weights. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/runtime/run/events.ts';
import type { Plan } from '../../src/runtime/run/plan-types.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { ftc } from './ftc.ts';

const file = `param steps: int = 3
data answers = jsonl("data/sft.jsonl")

pretrain(model=llama(layers=1 width=32 heads=2 context=32) vocabulary=280 max_steps=$steps batch=4)
  → sft(lora r=2 targets=q,v; data=answers max_steps=2 batch=4)
  → quick: eval(data=answers max_new_tokens=8)
  → check: gate(quick.loss <= 100)
`;
const sentence = (i: number) =>
  `The ${['fox', 'owl', 'cat', 'dog'][i % 4]} number ${i} lives in house ${(i * 7) % 40}.`;
const text = Array.from({ length: 400 }, (_, i) => sentence(i)).join('\n');
const rows = Array.from({ length: 60 }, (_, i) =>
  JSON.stringify({ prompt: `Where does number ${i} live?`, completion: `house ${(i * 7) % 40}` }),
).join('\n');

let cwd = '';
const run = (...words: string[]) => ftc(words, { cwd });
const planned = async (...words: string[]) =>
  JSON.parse((await run('plan', 'tiny.ftp', '--json', ...words)).stdout) as Plan;
const actions = ({ stages }: Plan) => stages.map(({ id, action }) => `${id} ${action}`);

beforeAll(() => {
  cwd = temporaryDirectory({ 'tiny.ftp': file, 'data/pretrain.txt': text, 'data/sft.jsonl': rows });
});

describe('a pipeline from plan to text', () => {
  it('is planned, with an exit code that says whether something would run', async () => {
    const plan = await planned();
    expect(actions(plan)).toEqual(['pretrain run', 'sft run', 'quick run', 'check run']);
    expect(plan.stages[0]!.parameters!.total).toBe(plan.stages[0]!.parameters!.trainable);
    expect((await run('plan', 'tiny.ftp', '--detailed-exitcode', '-q')).code).toBe(2);
    const table = await run('plan', 'tiny.ftp', '--out', 'plan.json');
    expect(table.code).toBe(0);
    expect(table.stdout).toContain('tiny: 4 to run, about ');
    expect(table.stdout).toContain('ftc run plan.json');
  });

  it('runs as it was planned, and a second time runs nothing', async () => {
    const first = await run('run', 'plan.json', '--json');
    expect(first.stderr).toBe('');
    expect(first.code).toBe(0);
    const events = first.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as RunEvent);
    const finished = events.flatMap((event) =>
      event.type === 'stage_finished' ? [`${event.stage} ${event.action}`] : [],
    );
    expect(finished).toEqual(['pretrain run', 'sft run', 'quick run', 'check run']);
    expect(events.filter(({ type }) => type === 'step')).toHaveLength(5);
    expect((await run('plan', 'tiny.ftp', '--detailed-exitcode', '-q')).code).toBe(0);
    const again = await run('run', 'tiny.ftp');
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('sft: cached');
    expect(again.stdout).not.toContain('step 1/');
  });

  it('runs a stage again where it is asked to, as the plan says', async () => {
    const from = await planned('--from', 'sft', '--until', 'quick');
    expect(from.stages.map(({ id, action, reason }) => `${id} ${action}: ${reason}`)).toEqual([
      'pretrain cached: unchanged',
      'sft run: asked for by `--from`',
      'quick run: asked for by `--from`',
    ]);
    const ended = await run('run', 'tiny.ftp', '--from', 'sft', '--until', 'quick');
    expect(ended.code).toBe(0);
    for (const words of ['pretrain: cached', 'sft: step 1/2', 'quick: done in'])
      expect(ended.stdout).toContain(words);
    expect(actions(await planned('--only', 'sft'))).toEqual(['pretrain cached', 'sft run']);
    expect((await run('plan', 'tiny.ftp', '--only', 'sft', '--out', 'only.json')).stdout).toContain(
      'tiny: 1 to run, 1 cached',
    );
    const only = await run('run', 'only.json');
    expect(only.stdout).toContain('sft: step 1/2');
    expect(only.stdout).not.toContain('quick: done');
    expect(actions(await planned())).toEqual([
      'pretrain cached',
      'sft cached',
      'quick cached',
      'check cached',
    ]);
  });

  it('says why a stage would run again', async () => {
    const why = await run('why', 'tiny.ftp', 'sft', '--set', 'sft.lr=0.5');
    expect(why.code).toBe(0);
    expect(why.stdout).toContain('sft would run: lr ');
    expect(why.stdout).toContain('→ 0.5');
    const upstream = await run('why', 'tiny.ftp', 'sft', '--set', 'steps=4', '--json');
    expect(JSON.parse(upstream.stdout)).toMatchObject({
      stage: 'sft',
      action: 'run',
      because: [{ stage: 'pretrain', action: 'run' }],
    });
    expect((await run('why', 'tiny.ftp', 'stf')).stderr).toContain('did you mean `sft`?');
  });

  it('refuses a plan that is stale, broken, or asked to be another', async () => {
    const plan = JSON.parse(readFileSync(join(cwd, 'plan.json'), 'utf8'));
    plan.stages[1].key = 'sha256:0';
    writeFileSync(join(cwd, 'stale.json'), JSON.stringify(plan));
    const stale = await run('run', 'stale.json');
    expect(stale.code).toBe(5);
    expect(stale.stderr).toContain('error[FTP7003 stale-plan]');
    writeFileSync(join(cwd, 'broken.json'), '{');
    expect((await run('run', 'broken.json')).code).toBe(5);
    expect((await run('run', 'plan.json', '--set', 'steps=9')).code).toBe(2);
    expect((await run('run', 'plan.json', '--from', 'sft')).code).toBe(2);
  });

  it('plans a model without weights for what it takes, and refuses to run it', async () => {
    const config = {
      model_type: 'llama',
      architectures: ['LlamaForCausalLM'],
      hidden_size: 32,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      intermediate_size: 64,
      vocab_size: 280,
      max_position_embeddings: 64,
    };
    mkdirSync(join(cwd, 'sizes'));
    writeFileSync(join(cwd, 'sizes/config.json'), JSON.stringify(config));
    writeFileSync(
      join(cwd, 'sizes.ftp'),
      'sft(model=local("sizes") data=jsonl("data/sft.jsonl") max_steps=1)\n',
    );
    const fits = await run('plan', 'sizes.ftp', '--out', 'sizes.json');
    expect(fits.code).toBe(0);
    expect(fits.stderr).toContain('warning[FTP5011 unreadable-model]');
    expect(fits.stdout).toContain('written; a run refuses this plan');
    expect((await run('plan', 'sizes.ftp', '--detailed-exitcode', '-q')).code).toBe(1);
    const large = await run('plan', 'sizes.ftp', '--memory', '50MB');
    expect(large.code).toBe(4);
    expect(large.stderr).toContain('error[FTP4001 not-enough-memory]');
    for (const words of ['sizes.ftp', 'sizes.json']) {
      const refused = await run('run', words);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('error[FTP5011 unreadable-model]');
    }
  });

  it('stops before a stage that a gate keeps back, with exit code 3', async () => {
    const gated = file.replace('<= 100', '<= 0.001');
    writeFileSync(join(cwd, 'gated.ftp'), gated);
    const ended = await run('run', 'gated.ftp', '--plain');
    expect(ended.code).toBe(3);
    expect(ended.stdout).toContain('check: not met');
    expect(ended.stdout).toContain('✗ quick.loss <= 0.001 (is ');
  });

  it.each([
    [['run', 'tiny.ftp', '--until', 'stf'], 2, 'did you mean `--until sft`?'],
    [['run', 'tiny.ftp', '--from', 'sft', '--until', 'pretrain'], 2, '`sft` comes after `pretrain`'],
    [['plan', 'tiny.ftp', '--only', 'sft', '--until', 'sft'], 2, 'drop `--from` and `--until`'],
    [
      ['run', 'tiny.ftp', '--set', 'steps=8', '--from', 'sft'],
      1,
      '`sft` needs `pretrain`, which has no result yet',
    ],
    [['run', 'tiny.ftp', '--set', 'steps'], 2, '--set PATH=VALUE'],
    [['run', 'tiny.ftp', '--device', 'cuda'], 6, 'error[FTP6005 no-device]'],
    [['run', 'gone.ftp'], 1, 'there is no such file'],
  ])('%j ends with %i', async (words, code, said) => {
    const ended = await run(...words);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toContain(said);
  });

  it('tells JSON readers why a run cannot start', async () => {
    writeFileSync(join(cwd, 'bad.ftp'), 'pretrain → sft(lora r=2 target=q)\n');
    const ended = await run('run', 'bad.ftp', '--json');
    expect(ended.code).toBe(1);
    const [version, problem] = ended.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(version.type).toBe('version');
    expect(problem).toMatchObject({ type: 'diagnostic', code: 'FTP2003', file: 'bad.ftp', line: 1 });
  });

  it('lists runs, writes text from one, and cleans up', async () => {
    const runs = JSON.parse((await run('runs', '--json')).stdout).runs;
    expect(runs.map(({ status }: { status: string }) => status)).toEqual([
      'gate_failed',
      'ok',
      'ok',
      'ok',
      'ok',
    ]);
    const words = ['generate', runs[3].id, 'The fox', '--max-tokens', '5', '--temperature', '0'];
    const [one, two] = [await run(...words), await run(...words)];
    expect(one.code).toBe(0);
    expect(one.stdout.startsWith('The fox')).toBe(true);
    expect(two.stdout).toBe(one.stdout);
    const inCodes = await run(...words, '--quant', 'int4', '--json');
    expect(inCodes).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(inCodes.stdout).completion).not.toBe('');
    const refused = await run(...words, '--quant', 'nf4');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('`--quant` takes int8 or int4, not `nf4`');
    expect(refused.stderr).toContain('write --quant int4');
    const missing = await run('generate', 'nothing', 'x');
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    const dry = await run('clean', '--keep', '1', '--dry-run');
    expect(dry.stdout).toMatch(/^would remove 4 runs/);
    expect((await run('clean', '--keep', '1')).stdout).toMatch(/^removed 4 runs/);
    expect(JSON.parse((await run('runs', '--json')).stdout).runs).toHaveLength(1);
    expect(existsSync(join(cwd, '.ftc'))).toBe(true);
  });
});
