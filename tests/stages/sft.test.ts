/** What `sft` learns from, and what it does not. */
import { describe, expect, test } from 'vitest';
import type { Row } from '../../src/runtime/data/row.ts';
import { encodeExample, shareOf } from '../../src/runtime/stages/parts/examples.ts';
import { lines, sftRows, tinyData } from '../run/tiny-data.ts';
import { TINY, workshops } from '../run/workshop.ts';
import { runStage } from './bench.ts';
import { lossOf } from './by-hand.ts';

const workshop = workshops();
const pretrain = `pretrain(${TINY} max_steps=6)`;
/** No rows are held out. */
const all = 'data=jsonl("data/sft.jsonl") → split(test=0)';

test('only the tokens of assistant turns carry loss; padding carries none; lora starts as the base', async () => {
  // Turns of very different lengths, in one batch; a second answer in the same row.
  const conversation = {
    messages: [
      { role: 'user', content: 'A?' },
      { role: 'assistant', content: 'B.' },
      { role: 'user', content: 'C' },
      { role: 'assistant', content: 'D!' },
    ],
  };
  const rows = [...sftRows.slice(0, 6), conversation, { prompt: 'The hen', completion: ' eats corn.' }];
  const shop = workshop(`${pretrain} → sft(${all} lora r=4 targets=all; batch=8 max_steps=1 warmup=0)`, {
    ...tinyData,
    'data/sft.jsonl': lines(rows),
  });
  const { said, loader, artifacts } = await runStage(shop, 'sft');
  const policy = await loader.policy(artifacts['pretrain.policy']!);
  let [total, tokens, read] = [0, 0, 0];
  const learned: string[] = [];
  for (const value of rows) {
    const { ids, supervised } = encodeExample({ value, file: '', line: 1 } as Row, policy);
    const own = lossOf(policy, ids, supervised);
    total += own.total;
    tokens += own.tokens;
    read += ids.length;
    learned.push(policy.tokenizer.decode(ids.filter((_, i) => supervised[i])));
  }
  expect(learned.slice(-2)).toEqual(['B.<|end|>D!<|end|>', ' eats corn.<|endoftext|>']);
  expect(said.series('sft', 'loss')[0]).toBeCloseTo(total / tokens, 5);
  // As TRL counts them: prompts are read as well, padding is not.
  expect(said.series('sft', 'num_tokens')).toEqual([read]);
  expect(said.series('sft', 'tokens_per_second')[0]).toBeGreaterThan(0);
  expect(shareOf(1 + 2 ** -23)).toBe(1);
});

test('two micro-batches of four are one batch of eight', async () => {
  const losses = async (batches: string) => {
    const shop = workshop(`${pretrain} → sft(${all} full; ${batches} max_steps=4 lr=0.01)`);
    const said = await shop.run();
    return ['loss', 'grad_norm', 'num_tokens'].map((name) => said.series('sft', name));
  };
  const [loss, norm, tokens] = await losses('batch=8');
  const [loss2, norm2, tokens2] = await losses('batch=4 accumulate=2');
  for (let i = 0; i < 4; i++) {
    expect(loss2![i]).toBeCloseTo(loss![i]!, 5);
    expect(norm2![i]).toBeCloseTo(norm![i]!, 4);
  }
  expect(tokens2).toEqual(tokens);
  expect(loss![3]).toBeLessThan(loss![0]! - 0.1);
});

test('a row with no assistant turn is an error at its line', async () => {
  const rows = [...sftRows.slice(0, 3), { messages: [{ role: 'user', content: 'hello' }] }];
  const shop = workshop(`${pretrain} → sft(${all} max_steps=1)`, {
    ...tinyData,
    'data/sft.jsonl': lines(rows),
  });
  const plan = await shop.plan();
  expect(plan.diagnostics[0]).toMatchObject({ span: { line: 4 } });
  expect(plan.diagnostics[0]!.span!.file).toMatch(/data\/sft\.jsonl$/);
});

describe('rows longer than the context', () => {
  const long = { prompt: 'a b c d', completion: ' e f g h'.repeat(40) };
  const question = { prompt: 'x y z '.repeat(40), completion: ' no' };
  const files = (row: object) => ({ ...tinyData, 'data/sft.jsonl': lines([...sftRows.slice(0, 4), row]) });
  const run = (row: object, overlong: string) =>
    workshop(`${pretrain} → sft(${all} max_steps=1 batch=4 ${overlong})`, files(row)).run();

  test('are errors that name the line', async () => {
    const said = await run(long, '');
    const [problem] = said.of('diagnostic');
    expect(problem).toMatchObject({ code: 'FTP5006', stage: 'sft', line: 5 });
    expect(problem!.file).toMatch(/data\/sft\.jsonl$/);
    expect(problem!.message).toMatch(/^the row has \d+ tokens, the context holds 32$/);
    expect(problem!.notes).toHaveLength(1);
    expect(said.end.exit_code).toBe(1);
  });

  test('the first few are named, and all are counted', async () => {
    const kept = sftRows.slice(0, 2);
    const files = { ...tinyData, 'data/sft.jsonl': lines([...kept, ...Array(7).fill(long), ...kept]) };
    const said = await workshop(`${pretrain} → sft(${all} max_steps=1 batch=4)`, files).run();
    const [problem] = said.of('diagnostic');
    expect(problem).toMatchObject({ code: 'FTP5006', line: 3 });
    const tokens = /the row has (\d+) tokens/.exec(problem!.message)![1];
    const named = [3, 4, 5, 6, 7].map((line) => `sft.jsonl:${line} (${tokens} tokens)`).join(', ');
    expect(problem!.notes[0]).toBe(`7 of 11 rows are too long: ${named}, and 2 more`);
  });

  test('are left out and counted', async () => {
    const said = await run(long, 'overlong=drop');
    expect(said.end.status).toBe('ok');
    const [account] = said.of('message', 'sft');
    expect(account).toMatchObject({ level: 'warning' });
    expect(account!.text).toMatch(/^train: 4 rows, .*; of 5 rows 1 dropped and 0 cut/);
  });

  test('are cut and counted, and every token kept is learned', async () => {
    const said = await run(long, 'overlong=truncate');
    expect(said.of('message', 'sft')[0]!.text).toMatch(/; of 5 rows 0 dropped and 1 cut/);
    expect(said.end.status).toBe('ok');
  });

  test('cut down to the prompt have nothing to learn', async () => {
    const said = await run(question, 'overlong=truncate');
    expect(said.of('diagnostic')[0]).toMatchObject({ code: 'FTP5005', line: 5 });
    expect(said.of('diagnostic')[0]!.message).toBe('cut to the context, the row has no token left to learn');
  });
});
