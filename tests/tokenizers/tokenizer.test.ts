import * as theirPackage from '@huggingface/tokenizers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadTokenizer } from '../../src/runtime/tokenizers/load-tokenizer.ts';
import { streamDecoder } from '../../src/runtime/tokenizers/stream-decoder.ts';
import { trainTokenizer } from '../../src/runtime/tokenizers/train-tokenizer.ts';

const texts = [
  'The patient takes 250 mg of aspirin twice a day. The patient is well.\n\n',
  '患者每天服用阿司匹林250毫克，两次。患者情况良好。The patient患者\r\n',
  "It's the patient's dose; they'll take it 😀😀 \t naïve café\n",
];
const { json, config } = await trainTokenizer(texts, {
  vocabularySize: 280,
  specialTokens: ['<|user|>', '<|end|>', '<|user|>'],
});
const tokenizer = loadTokenizer(json, config);

interface Engine {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
}
const makeEngine = (files: object, names: object): Engine =>
  new (theirPackage.Tokenizer as unknown as new (files: object, names: object) => Engine)(files, names);
const engine = makeEngine(json, config);
const piece = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    '<|user|>',
    '<|end|>',
    '<|end',
    '患者',
    ' patient',
    '😀',
    '\u0000\u001b',
    '\r\n \n',
    "'LL",
    '\uFFFD',
  ),
);
const anyText = fc.array(piece, { maxLength: 12 }).map((parts) => Buffer.from(parts.join('')).toString());

test('special tokens come first, then bytes, then merges in the order of their counts', () => {
  expect(json.added_tokens.map((t) => [t.id, t.content])).toEqual([
    [0, '<|endoftext|>'],
    [1, '<|pad|>'],
    [2, '<|user|>'],
    [3, '<|end|>'],
  ]);
  expect(tokenizer.vocabularySize).toBe(280);
  expect([tokenizer.eos, tokenizer.pad, tokenizer.bos]).toEqual([0, 1, undefined]);
  expect(tokenizer.idOf('<|end|>')).toBe(3);
  expect(tokenizer.idOf('nothing of the kind')).toBeUndefined();
  expect([tokenizer.idOf('A'), tokenizer.idOf('Ġ'), tokenizer.idOf('ÿ')]).toEqual([4 + 65, 4 + 32, 4 + 255]);
  expect([...tokenizer.encode('A<|end|>é')]).toEqual([69, 3, 4 + 0xc3, 4 + 0xa9]);
  expect(tokenizer.specialIds).toEqual(new Set([0, 1, 2, 3]));
});

test('merges are those that byte-pair encoding makes by hand', async () => {
  // Words: "aaab" ×2, " ab" ×2 → aa 4, ab 4; "aa" wins the tie, is merged once in each "aaab", and then "aa"+"a" 2,
  // "ab" 4, " a" 2 → "ab" 4; then " "+"ab" 2 and "aa"+"ab" 2, by the smaller left byte.
  const trained = await trainTokenizer(['aaab ab\naaab ab'], { vocabularySize: 300 });
  expect(trained.json.model.merges).toEqual([
    ['a', 'a'],
    ['a', 'b'],
    ['Ġ', 'ab'],
    ['aa', 'ab'],
  ]);
  const loaded = loadTokenizer(trained.json, trained.config);
  expect(loaded.vocabularySize).toBe(262);
  expect([...loaded.encode('aaab aab')].map((id) => loaded.decode([id]))).toEqual(['aaab', ' ', 'aa', 'b']);
});

test('counts kept up to date around merges equal counts made anew', async () => {
  // The oracle: count every pair of every word again before each merge.
  const slow = (words: readonly string[], merges: number) => {
    const counted = words.map((w) => [...Buffer.from(w)]);
    const result: [number, number][] = [];
    while (result.length < merges) {
      const counts = new Map<number, number>();
      for (const w of counted) {
        for (let i = 1; i < w.length; i++) {
          const key = w[i - 1]! * 1000 + w[i]!;
          counts.set(key, (counts.get(key) ?? 0) + 1);
        }
      }
      const [best] = [...counts].filter(([, n]) => n >= 2).sort((x, y) => y[1] - x[1] || x[0] - y[0]);
      if (best === undefined) break;
      const pair: [number, number] = [Math.floor(best[0] / 1000), best[0] % 1000];
      for (const w of counted) {
        for (let i = 0; i + 1 < w.length; i++) {
          if (w[i] === pair[0] && w[i + 1] === pair[1]) w.splice(i, 2, 256 + result.length);
        }
      }
      result.push(pair);
    }
    return result;
  };
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 12 }), async (words) => {
      const trained = await trainTokenizer([words.map((w) => `${w}\n`).join('')], { vocabularySize: 270 });
      const tokens = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
      const bytesOf = (name: string) => [...name].map((c) => (c === 'Ċ' ? '\n' : c)).join('');
      const named = slow([...words, ...words.map(() => '\n')], 12).map(([left, right]) => {
        tokens.push(tokens[left]! + tokens[right]!);
        return [tokens[left], tokens[right]];
      });
      const merges = trained.json.model.merges as [string, string][];
      expect(merges.map((pair) => pair.map(bytesOf))).toEqual(named);
    }),
    { numRuns: 200 },
  );
});

test('the order of texts does not matter, the texts do', async () => {
  const options = { vocabularySize: 280, specialTokens: ['<|user|>', '<|end|>'] };
  expect((await trainTokenizer([...texts].reverse(), options)).json).toEqual(json);
  expect((await trainTokenizer(texts.slice(1), options)).json).not.toEqual(json);
});

test('special tokens in the text teach no merges', async () => {
  const trained = await trainTokenizer(['<|end|><|end|><|end|>'], {
    vocabularySize: 300,
    specialTokens: ['<|end|>'],
  });
  expect(trained.json.model.merges).toEqual([]);
});

test('what was encoded is decoded again: Chinese, emoji, control characters, special tokens', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }),
    { numRuns: 500 },
  );
});

test('the ids are those that the tokenizers package computes by itself', () => {
  const long = fc.integer({ min: 1, max: 400 }).map((n) => '患者服用a'.repeat(n).slice(0, n));
  fc.assert(
    fc.property(fc.oneof(anyText, long), (text) => {
      expect([...tokenizer.encode(text)]).toEqual(engine.encode(text, { add_special_tokens: false }).ids);
    }),
    { numRuns: 500 },
  );
});

test('other kinds of byte-level tokenizer give the ids of the package too: GPT-2 style byte level, and merges that are ignored', () => {
  const kinds = [
    { ...json, pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true } },
    { ...json, model: { ...json.model, ignore_merges: true } },
    { ...json, model: { ...json.model, merges: (json.model.merges as string[][]).map((m) => m.join(' ')) } },
  ];
  for (const kind of kinds) {
    const [ours, theirs] = [loadTokenizer(kind, config), makeEngine(kind, config)];
    for (const text of [...texts, '<|user|> a  b<|end|>']) {
      expect([...ours.encode(text)]).toEqual(theirs.encode(text, { add_special_tokens: false }).ids);
      expect(ours.decode(ours.encode(text))).toBe(text);
    }
  }
});

test('Chinese is cut from signs and Latin letters, words keep one space, digits go by three', async () => {
  const { compileSplit } = await import('../../src/runtime/tokenizers/engine.ts');
  const { preTokenizer } = await import('../../src/runtime/tokenizers/pre-token-pattern.ts');
  const pattern = compileSplit(preTokenizer.pretokenizers[0]);
  const cut = (text: string) => [...text.matchAll(pattern)].map(([part]) => part);
  expect(cut("I've 患者aspirin，每日12345mg。\n\n  コーヒー don't")).toEqual([
    ...[
      'I',
      "'ve",
      ' ',
      '患者',
      'aspirin',
      '，',
      '每日',
      '123',
      '45',
      'mg',
      '。\n\n',
      ' ',
      ' ',
      'コーヒー',
      ' don',
      "'t",
    ],
  ]);
});

test('ids that are no whole character decode to U+FFFD, and special tokens can be left out', () => {
  const ids = tokenizer.encode('<|user|>é<|end|>');
  expect(tokenizer.decode(ids.subarray(0, 2))).toBe('<|user|>\uFFFD');
  expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe('é');
  expect(tokenizer.decode([])).toBe('');
});

test('a stream of ids gives whole characters that join to the text', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        anyText.map((t) => [...tokenizer.encode(t)]),
        fc.array(fc.nat(279)),
      ),
      (ids) => {
        const decoder = streamDecoder(tokenizer);
        const parts = ids.map((id) => decoder.push(id));
        const last = decoder.end();
        expect(parts.join('') + last).toBe(tokenizer.decode(ids));
        for (const part of parts) expect(Buffer.from(part).toString()).toBe(part);
      },
    ),
    { numRuns: 1000 },
  );
  const decoder = streamDecoder(tokenizer);
  const bytes = [...Buffer.from('é😀')].map((byte) => 4 + byte);
  expect(bytes.map((id) => decoder.push(id))).toEqual(['', 'é', '', '', '', '😀']);
});

test('a vocabulary that cannot hold the bytes, a special token of one letter, missing names', async () => {
  await expect(trainTokenizer([], { vocabularySize: 257 })).rejects.toThrow(
    'a vocabulary of 257 is too small: 2 special tokens and 256 bytes need 258',
  );
  await expect(trainTokenizer([], { vocabularySize: 300, specialTokens: ['x'] })).rejects.toThrow(
    'token "x"',
  );
  expect(() => loadTokenizer(json, { ...config, eos_token: null })).toThrow('names no eos_token');
  expect(() => loadTokenizer(json, { ...config, pad_token: '<none>' })).toThrow(
    'names "<none>" as pad_token, which is not in',
  );
  expect(
    loadTokenizer(json, { ...config, bos_token: { content: '<|user|>' }, pad_token: null }),
  ).toMatchObject({
    bos: 2,
    bosToken: '<|user|>',
    pad: 0,
  });
  const empty = await trainTokenizer([], { vocabularySize: 4096 });
  expect(loadTokenizer(empty.json, empty.config).vocabularySize).toBe(258);
});
