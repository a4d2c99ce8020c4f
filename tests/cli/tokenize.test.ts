/** `ftc tokenize` in a real child process: JSON lines, the table, and what it says of lines it cannot use. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../temporary-directory.ts';
import { ftc } from './ftc.ts';

const reference = JSON.parse(
  gunzipSync(readFileSync(new URL('../reference/tokenizers/llama2.json.gz', import.meta.url))).toString(),
);
const template =
  "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %} {{ m.content }} {{ eos_token }}{% endif %}{% endfor %}";
const directory = temporaryDirectory({
  'tokenizer.json': JSON.stringify(reference.tokenizer),
  'tokenizer_config.json': JSON.stringify({ bos_token: '<s>', eos_token: '</s>', chat_template: template }),
});
const idsOf = (text: string): number[] =>
  reference.rows.find((row: { text: string }) => row.text === text).special;
const tokenize = (words: readonly string[], input = '') => ftc(['tokenize', directory, ...words], { input });

describe('ftc tokenize', () => {
  it('gives a line of ids for every line of text, in order, with the beginning of text of the post-processor', async () => {
    const texts = ['患者每天服用阿司匹林。', '', '😀👍🏽', 'x\n\n  y', ' a b '];
    const lines = texts.map((text) => JSON.stringify({ text })).join('\n');
    const { code, stdout, stderr } = await tokenize(['--json'], `${lines}\n`);
    expect([code, stderr]).toEqual([0, '']);
    const made = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(made).toEqual(texts.map((text) => ({ ids: idsOf(text), text })));
  });

  it('renders chats, and puts no second beginning of text before what the template wrote', async () => {
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'yes' },
    ];
    const lines = [{ messages }, { messages, add_generation_prompt: true }, { text: '<s>a' }];
    const { stdout } = await tokenize(['--json'], lines.map((line) => JSON.stringify(line)).join('\n'));
    const [chat, prompt, text] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(chat.text).toBe('<s>[INST] hi [/INST] yes </s>');
    expect(chat.ids.filter((id: number) => id === 1)).toEqual([1]);
    expect(chat.ids.at(-1)).toBe(2);
    expect(prompt).toEqual(chat);
    expect(text.ids.filter((id: number) => id === 1)).toEqual([1]);
  });

  it('names a line that it cannot use, goes on, and ends with 1', async () => {
    const input =
      '{"text":"a"}\n\n{"text":\n{"text":1}\n{"messages":[]}\n{"text":"a","messages":[]}\n{"text":"b"}\n';
    const { code, stdout, stderr } = await tokenize(['--json'], input);
    expect(code).toBe(1);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ text, line }) => text ?? line)).toEqual(['a', 3, 4, 5, 6, 'b']);
    expect(lines[1].error.code).toBe('FTP5003');
    expect(stderr).toContain('stdin:4: `text` is no text');
    expect(stderr).toContain('stdin:5: `messages` is no list of objects, each with a `role`');
    expect(stderr).toContain('stdin:6: the row needs either `text` or `messages`');
  });

  it('draws a table, in colour only where it is wanted', async () => {
    const { stdout } = await tokenize(['--text', 'The 你']);
    const rows = stdout.trimEnd().split('\n');
    expect(rows[0]).toBe(' id  token   text');
    expect(rows[1]).toBe('  1  <s>     "<s>"');
    expect(rows.at(-2)).toMatch(/^\d+ {2}<0xA0> {2}"你"$/);
    expect(rows.at(-1)).toBe('6 tokens');
    const colored = await tokenize(['--text', 'The 你', '--color', 'always']);
    expect(colored.stdout).toContain('\u001b[36m  1  <s>');
    const never = await ftc(['tokenize', directory, '--text', 'The 你'], { env: { NO_COLOR: '1' } });
    expect(never.stdout).toBe(stdout);
  });

  it('says what is wrong with a template, a directory, or the command line', async () => {
    const bad = temporaryDirectory({
      'tokenizer.json': JSON.stringify(reference.tokenizer),
      'tokenizer_config.json': JSON.stringify({ eos_token: '</s>' }),
      'chat_template.jinja': "{{ raise_exception('only about asthma') }}",
    });
    const chat = '{"messages":[{"role":"user","content":"x"}]}';
    const raised = await ftc(['tokenize', bad], { input: chat });
    expect([raised.code, raised.stdout]).toEqual([1, '']);
    expect(raised.stderr).toContain('stdin:1: the chat template fails: only about asthma');
    const piece = temporaryDirectory({ 'tokenizer.model': 'x', 'config.json': '{"model_type":"llama"}' });
    const alone = await ftc(['tokenize', piece], { input: chat });
    expect(alone.code).toBe(1);
    expect(alone.stderr).toContain('tokenizer.model is a SentencePiece model');
    expect(alone.stderr).toContain('save_pretrained');
    const none = await ftc(['tokenize', temporaryDirectory({ 'config.json': '{"model_type":"llama"}' })], {
      input: chat,
    });
    expect(none.stderr).toContain('has no tokenizer.json');
    const both = await tokenize(['--text', 'a', '--chat', 'b']);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('give one of them')]);
    expect((await ftc(['tokenize'])).code).toBe(2);
    expect((await tokenize(['nowhere.jsonl'])).code).toBe(6);
  });
});
