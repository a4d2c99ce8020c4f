/** Each sequence begins once and ends, whatever a tokenizer calls its padding. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { documentStream } from '../../src/runtime/stages/parts/document-stream.ts';
import { encodeExample, encodeQuestion } from '../../src/runtime/stages/parts/examples.ts';
import { SupervisedBatches } from '../../src/runtime/stages/parts/padded-batches.ts';
import { encodePrompt } from '../../src/runtime/tokenizers/chat-template.ts';
import { loadTokenizer } from '../../src/runtime/tokenizers/load-tokenizer.ts';
import { stored, tokenFile } from './stored.ts';

const folder = new URL('../reference/', import.meta.url);
const chats = JSON.parse(gunzipSync(readFileSync(new URL('chats/chats.json.gz', folder))).toString());
const row = (value: object) => ({ value, file: 'rows.jsonl', line: 1 }) as never;
const messages = [
  { role: 'user', content: 'What is asthma?' },
  { role: 'assistant', content: 'A disease.' },
];

/** The model of a template's reference, where padding is the end token, as many publish it. */
function speaker(name: string) {
  const { kind, names } = chats[name];
  const file = new URL(`tokenizers/${kind}.json.gz`, folder);
  const { tokenizer: json } = JSON.parse(gunzipSync(readFileSync(file)).toString());
  const tokenizer = loadTokenizer(json, { ...names, pad_token: names.eos_token });
  expect(tokenizer.pad).toBe(tokenizer.eos);
  const template = readFileSync(new URL(`chats/templates/${name}.jinja`, folder), 'utf8');
  return { tokenizer, template };
}

describe.each(['llama2', 'llama3', 'mistral', 'zephyr', 'qwen2', 'phi3'])('%s', (name) => {
  const model = speaker(name);
  const { tokenizer } = model;
  const value = { prompt: 'Asthma is', completion: ' a disease' };

  test.each([
    ['chat', { messages }],
    ['text', value],
  ])('%s: the end token is learned, padding is not', (_, given) => {
    const { ids, supervised } = encodeExample(row(given), model);
    const ends = ids.lastIndexOf(tokenizer.eos);
    expect(supervised[ends]).toBe(1);
    const examples = [
      { ids, supervised },
      { ids: new Int32Array(ids.length + 20), supervised: new Uint8Array(ids.length + 20).fill(1, 1) },
    ];
    const [batch] = new SupervisedBatches(stored(examples), 2, 1, 0, 256, 0).evaluation();
    const of = (key: string) => Array.from(batch!.feeds.get(key)!.data as Float32Array);
    const learned = of('labels').filter((_label, i) => of('weights')[i] !== 0);
    // Once in this sequence; the other one has none, and the places after it are no targets.
    expect(learned.filter((id) => id === tokenizer.eos)).toHaveLength(1);
    const wanted = supervised.reduce((n, bit, i) => n + (i > 0 ? bit : 0), 0);
    expect(learned).toHaveLength(wanted + ids.length + 19);
  });

  test('never two tokens that begin a text', async () => {
    const { bos } = tokenizer;
    const begins = (ids: Int32Array) => (bos === undefined ? [] : ids.filter((id) => id === bos));
    const once = bos === undefined ? 0 : 1;
    const chat = encodePrompt(tokenizer, model.template, messages.slice(0, 1));
    expect(begins(chat)).toHaveLength(model.template.includes('bos_token') ? once : 0);
    // What the file's post-processor writes, also before a text that has it already.
    const before = begins(tokenizer.encodeText('a')).length;
    expect(before).toBe(['llama2', 'llama3', 'mistral', 'zephyr'].includes(name) ? 1 : 0);
    const written = `${bos === undefined ? '' : tokenizer.bosToken}a`;
    expect(begins(tokenizer.encodeText(written))).toHaveLength(once);
    const { ids } = encodeExample(row(value), model);
    expect(begins(ids)).toHaveLength(before);
    expect(ids.subarray(0, -1)).toEqual(tokenizer.encodeText('Asthma is a disease'));
    expect(encodeQuestion({ kind: 'text', prompt: value.prompt }, model)).toEqual(
      ids.slice(0, tokenizer.encodeText(value.prompt).length),
    );
    async function* rows() {
      for (const text of ['a', 'b']) yield row({ text });
    }
    const stream = await documentStream({ tokens: (limit) => tokenFile(limit) }, rows(), tokenizer);
    const parts = ['a', 'b'].flatMap((text) => [...tokenizer.encodeText(text), tokenizer.eos]);
    expect([...stream.subarray(0, stream.length)]).toEqual(parts);
  });
});
