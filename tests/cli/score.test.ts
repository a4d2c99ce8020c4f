/** `ftc score`: the numbers that PyTorch and transformers give, and what is said of lines that cannot be scored. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { RewardScore, TokenScores } from '../../src/runtime/run/score.ts';
import { goldenNames, readGolden } from '../reference/golden.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { ftc } from './ftc.ts';

const reference = (path: string): string => fileURLToPath(new URL(`../reference/${path}`, import.meta.url));
const expected = JSON.parse(readFileSync(reference('scores/expected.json'), 'utf8')) as {
  readonly lines: readonly object[];
  readonly expected: readonly TokenScores[];
  readonly reward_lines: readonly object[];
  readonly rewards: readonly RewardScore[];
};

const jsonLines = (values: readonly unknown[]): string =>
  values.map((v) => `${JSON.stringify(v)}\n`).join('');

async function scores<T>(model: string, lines: readonly unknown[], ...flags: string[]): Promise<T[]> {
  const ended = await ftc(['score', model, '--json', ...flags], { input: jsonLines(lines) });
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  return ended.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

function expectNear(found: readonly number[], wanted: readonly number[], tolerance: number): void {
  expect(found.length).toBe(wanted.length);
  found.forEach((value, i) => {
    expect(Math.abs(value - wanted[i]!)).toBeLessThan(tolerance);
  });
}

describe('ftc score gives the log-probabilities', () => {
  it.each(goldenNames)('of PyTorch: %s, alone and with an adapter', async (name) => {
    const golden = await readGolden(name);
    const row = (key: string, r: number) => {
      const { shape, data } = golden.expected(key);
      return [...data.subarray(r * shape[1]!, (r + 1) * shape[1]!)];
    };
    const isToken = (r: number) => (_: number, t: number) => row('b.attention_mask', r)[t] === 1;
    const rowB = (r: number) => row('b.input_ids', r).filter(isToken(r));
    const directory = reference(`golden/${name}`);
    const [a, b0, b1] = await scores<TokenScores>(directory, [
      { ids: row('a.input_ids', 0) },
      { ids: rowB(0) },
      { ids: rowB(1) },
    ]);
    expectNear(
      [a!.loss!, a!.perplexity! / 1000],
      [golden.scalars['a.loss']!, Math.exp(golden.scalars['a.loss']!) / 1000],
      2e-6,
    );
    for (const [r, found] of [b0!, b1!].entries()) {
      expect(found.ids).toEqual(rowB(r));
      expectNear(found.logprobs, row('b.token_logprobs', r).slice(0, found.ids.length - 1), 2e-5);
    }
    const adapted = await scores<TokenScores>(
      directory,
      [{ ids: row('a.input_ids', 0) }],
      '--adapter',
      directory,
    );
    expectNear([adapted[0]!.loss!], [golden.scalars['lora.loss']!], 2e-6);
  });

  it('of transformers: text, completions, chats and ids', async () => {
    const found = await scores<TokenScores>(reference('scores/policy'), expected.lines);
    for (const [i, wanted] of expected.expected.entries()) {
      expect(found[i]!.ids).toEqual(wanted.ids);
      expectNear(found[i]!.logprobs, wanted.logprobs, 2e-5);
      expectNear([found[i]!.loss!], [wanted.loss!], 2e-6);
      expectNear([found[i]!.perplexity! / Math.exp(wanted.loss!)], [1], 3e-6);
      expect(found[i]!.loss_tokens).toBe(wanted.loss_tokens);
    }
  });

  it('in batches as one by one', async () => {
    const ids = [...Array(96).keys()];
    const lines = [...Array(40).keys()].map((i) => ({ ids: ids.slice(i, i + 2 + (i % 13)) }));
    const together = await scores<TokenScores>(reference('scores/policy'), lines);
    const apart = await scores<TokenScores>(reference('scores/policy'), lines.slice(0, 3));
    expect(together.map((score) => score.ids)).toEqual(lines.map((line) => line.ids));
    apart.forEach((score, i) => {
      expectNear(together[i]!.logprobs, score.logprobs, 2e-6);
    });
  });
});

describe('ftc score gives the rewards', () => {
  it('of transformers', async () => {
    const found = await scores<RewardScore>(reference('scores/reward'), expected.reward_lines);
    expect(found.map(({ ids }) => ids)).toEqual(expected.rewards.map(({ ids }) => ids));
    expectNear(
      found.map(({ reward }) => reward),
      expected.rewards.map(({ reward }) => reward),
      2e-5,
    );
  });
});

describe('a line that cannot be scored', () => {
  it('is answered in its place, and the others are scored', async () => {
    const file = `${temporaryDirectory()}/lines.jsonl`;
    const lines = [
      '{"ids":[5,6]}',
      '',
      '{"ids":[5,290]}',
      '{"ids":[]}',
      'no',
      '[1]',
      '{"tex":"a"}',
      '{"ids":[7]}',
    ];
    const long = JSON.stringify({ ids: [...Array(97).keys()] });
    writeFileSync(file, [...lines, long, '{"prompt":"a","completion":""}', '{"ids":[1.5]}'].join('\n'));
    const { code, stdout, stderr } = await ftc(['score', reference('scores/policy'), file, '--json']);
    expect(code).toBe(1);
    const answers = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answers[0].logprobs.length).toBe(1);
    expect(answers[6]).toEqual({ ids: [7], logprobs: [], loss: null, perplexity: null, loss_tokens: 0 });
    const errors = answers.filter(({ error }) => error !== undefined);
    expect(
      errors.map(({ line, error }) => [line, error.code, error.message.replace(`${file}:${line}: `, '')]),
    ).toEqual([
      [3, 'FTP5007', "number 2 of its ids is 290, and the model's ids are 0 to 289"],
      [4, 'FTP5007', 'it has no token'],
      [5, 'FTP5003', expect.stringMatching(/^this line is not JSON: /)],
      [6, 'FTP5007', 'it is no JSON object'],
      [7, 'FTP5007', 'it has tex'],
      [9, 'FTP5006', "it has 97 tokens, and the model's context is 96"],
      [10, 'FTP5007', 'its completion is empty'],
      [11, 'FTP5007', "number 1 of its ids is 1.5, and the model's ids are 0 to 289"],
    ]);
    expect(stderr.match(/^error\[FTP500/gm)?.length).toBe(8);
  });

  it('is text for a model without a tokenizer', async () => {
    const { code, stdout } = await ftc(['score', reference('golden/llama'), '--json'], {
      input: '{"text":"a"}',
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      line: 1,
      error: { code: 'FTP5007', message: 'stdin:1: the model has no tokenizer.json, so it takes no text' },
    });
  });
});

describe('a model that is not there', () => {
  it.each([
    [['nowhere'], /is no model's directory, and .* has no run/],
    [[reference('golden')], /holds no model: it has no config.json/],
    [[reference('golden/llama'), '--adapter', reference('scores/policy')], /adapter_config.json: is missing/],
  ])('%j', async (words, said) => {
    const { code, stderr } = await ftc(['score', ...words], {
      cwd: temporaryDirectory(),
      input: '{"ids":[1,2]}',
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(said);
    expect(stderr).not.toMatch(/\n\s+at .*\.js/);
  });
});

it('an adapter is refused on a base with other weights than the one it names', async () => {
  const folder = temporaryDirectory();
  const adapter = reference('golden/llama');
  const at = (name: string) => join(folder, name);
  for (const name of ['copy', 'other'])
    for (const file of ['config.json', 'model.safetensors'])
      cpSync(join(adapter, file), join(at(name), file));
  const weights = readFileSync(join(at('other'), 'model.safetensors'));
  const header = Number(weights.readBigUInt64LE());
  weights.writeFloatLE(0.25, 8 + header);
  writeFileSync(join(at('other'), 'model.safetensors'), weights);
  for (const file of ['adapter_config.json', 'adapter_model.safetensors'])
    cpSync(join(adapter, file), join(at('adapter'), file));
  const config = join(at('adapter'), 'adapter_config.json');
  writeFileSync(
    config,
    JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), base_model_name_or_path: adapter }),
  );
  const lines = [{ ids: [1, 2, 3] }];
  expect(await scores(at('copy'), lines, '--adapter', at('adapter'))).toEqual(
    await scores(adapter, lines, '--adapter', adapter),
  );
  const { code, stderr } = await ftc(['score', at('other'), '--adapter', at('adapter')], {
    input: jsonLines(lines),
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^error\[FTP7004\]: .*is an adapter of ".*", and the weights of ".*other" are others/,
  );
});

describe('for people', () => {
  it('there is a table: tokens, ids, log-probabilities', async () => {
    const input = jsonLines([expected.lines[2], { ids: [3] }]);
    const { code, stdout } = await ftc(['score', reference('scores/policy')], { input });
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    const { ids, loss, logprobs } = expected.expected[2]!;
    const short = (value: number) => String(Number(value.toPrecision(4)));
    expect(lines[0]).toContain(`loss ${short(loss!)}`);
    expect(lines[0]).toMatch(/\(over \d+ of \d+ tokens\)$/);
    expect(lines[1]).toMatch(/^ {2}"<s>" +0$/);
    expect(lines.length).toBe(ids.length + 3);
    expect(Number(lines[ids.length]!.trim().split(/\s+/).at(-1))).toBeCloseTo(logprobs.at(-1)!, 2);
    expect(lines.at(-2)).toBe('line 2  nothing to score: no token stands before one that counts');
  });

  it('surprise has a colour', async () => {
    const { stdout } = await ftc(['score', reference('golden/llama'), '--color', 'always'], {
      input: '{"ids":[1,2,3]}',
    });
    expect(stdout).toContain('\u001b[1mline 1\u001b[22m');
    expect(stdout).toMatch(/\u001b\[31m +2 +-7\.741\u001b\[39m/);
  });
});
