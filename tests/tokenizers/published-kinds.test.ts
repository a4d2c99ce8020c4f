import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { encodeAnswered, encodeOpening } from '../../src/runtime/tokenizers/encode-answered.ts';
import { loadTokenizer } from '../../src/runtime/tokenizers/load-tokenizer.ts';
import { streamDecoder } from '../../src/runtime/tokenizers/stream-decoder.ts';
import type { TokenizerJson } from '../../src/runtime/tokenizers/tokenizer-files.ts';

interface Reference {
  readonly tokenizer: TokenizerJson;
  readonly rows: readonly {
    text: string;
    ids: number[];
    special: number[];
    decoded: string;
    plain: string;
  }[];
  readonly loose: readonly { ids: number[]; decoded: string }[];
}

const folder = new URL('../reference/tokenizers/', import.meta.url);
const kinds = readdirSync(folder).filter((name) => name.endsWith('.json.gz'));
const read = (name: string): Reference =>
  JSON.parse(gunzipSync(readFileSync(new URL(name, folder))).toString());

/** Those that put nothing after a text. */
const PARTABLE = ['gemma', 'gpt2', 'llama2', 'llama3', 'mistral', 'o200k', 'qwen2', 'smollm'];

test('there is a reference for every published kind', () => {
  expect(kinds.map((name) => name.split('.')[0])).toEqual([
    'albert',
    'bert',
    'deepseek',
    'gemma',
    'gpt2',
    'llama2',
    'llama3',
    'mistral',
    'o200k',
    'qwen2',
    'roberta',
    'smollm',
    't5',
  ]);
});

describe.each(kinds)('%s', (name) => {
  const { tokenizer: json, rows, loose } = read(name);
  const special = json.added_tokens.find((token) => token.special)!.content;
  const tokenizer = loadTokenizer(json, { eos_token: special });

  test('ids and texts are those of the Rust library', () => {
    expect(rows.length).toBeGreaterThan(100);
    for (const { text, ids, special: whole, decoded, plain } of rows) {
      const said = `${JSON.stringify(text)}`;
      expect([said, ...tokenizer.encode(text)]).toEqual([said, ...ids]);
      expect([said, ...tokenizer.encodeText(text)]).toEqual([said, ...whole]);
      expect(tokenizer.decode(whole)).toBe(decoded);
      expect(tokenizer.decode(whole, { skipSpecialTokens: true })).toBe(plain);
    }
  });

  test.runIf(PARTABLE.includes(name.split('.')[0]!))('a text in two pieces has the ids of the whole', () => {
    const parted = rows.flatMap(({ text, special: whole }) => {
      const at = text.search(/(?<=[a-z]) [a-z]/);
      return at < 0 ? [] : [{ pieces: [text.slice(0, at), text.slice(at)], whole }];
    });
    expect(parted.length).toBeGreaterThan(5);
    for (const { pieces, whole } of parted) {
      const [prompt, answer] = encodeAnswered(tokenizer, pieces[0]!, pieces[1]!);
      expect([pieces, ...prompt, ...answer]).toEqual([pieces, ...whole]);
      expect(encodeOpening(tokenizer, pieces[0]!)).toEqual(prompt);
    }
  });

  test('any ids have the text that the Rust library gives them, and a stream gives the same', () => {
    expect(loose.length).toBeGreaterThan(50);
    const all = [...loose, ...rows.map(({ special: ids, decoded }) => ({ ids, decoded }))];
    for (const { ids, decoded } of all) {
      expect([ids, tokenizer.decode(ids)]).toEqual([ids, decoded]);
      const stream = streamDecoder(tokenizer);
      expect([ids, ids.map((id) => stream.push(id)).join('') + stream.end()]).toEqual([ids, decoded]);
    }
  });
});
