/** Tokenizers and templates that mean harm: an error in words, within bounds of steps, time and memory. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderChat, TemplateError } from '../../src/runtime/tokenizers/chat-template.ts';
import { loadTokenizer } from '../../src/runtime/tokenizers/load-tokenizer.ts';
import { TokenizerError } from '../../src/runtime/tokenizers/tokenizer-error.ts';

const policy = new URL('../reference/scores/policy/', import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, policy), 'utf8'));
const [json, config] = [read('tokenizer.json'), read('tokenizer_config.json')];

const split = (Regex: string) => ({
  type: 'Split',
  pattern: { Regex },
  behavior: 'Isolated',
  invert: false,
});
const bombs = ['(a+)+$', '(a|aa)+$', '([a-z]+)*\\d'];

test.each(bombs)('a pattern that takes forever, before tokens: %s', (pattern) => {
  const tokenizer = loadTokenizer({ ...json, pre_tokenizer: split(pattern) }, config);
  expect(tokenizer.encode('b').length).toBeGreaterThan(0);
  expect(() => tokenizer.encode(`${'a'.repeat(5000)}-`)).toThrow(
    /^tokenizer.json cannot be used: its pattern takes more than \d+ ms/,
  );
});

test('a pattern that takes forever, in the normalizer and in the decoder', () => {
  const replace = { type: 'Replace', pattern: { Regex: '(a+)+$' }, content: 'x' };
  const text = `${'a'.repeat(5000)}-`;
  const normalized = loadTokenizer({ ...json, normalizer: replace }, config);
  expect(() => normalized.encode(text)).toThrow(TokenizerError);
  const id =
    Math.max(
      ...Object.values<number>(json.model.vocab),
      ...json.added_tokens.map((t: { id: number }) => t.id),
    ) + 1;
  const added_tokens = [...json.added_tokens, { id, content: text, special: false, normalized: true }];
  const long = loadTokenizer({ ...json, added_tokens, decoder: replace }, config);
  expect(() => long.decode([id])).toThrow(TokenizerError);
  // An added token is looked for as the normalizer makes it.
  expect(() => loadTokenizer({ ...json, added_tokens, normalizer: replace }, config)).toThrow(TokenizerError);
});

const user = { role: 'user', content: 'hi' };
const steps = /too many steps|too long|nested too deeply|range\(\) of more than/;
const nested = (open: string, close: string, depth: number) => `${open.repeat(depth)}x${close.repeat(depth)}`;

test.each([
  [
    'loops in loops',
    '{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}',
    steps,
  ],
  ['a range without end', '{{ range(10 ** 12) | length }}', /./],
  [
    'a list of lists',
    '{% for a in range(99999) %}{% for b in range(99999) | list %}{% endfor %}{% endfor %}',
    steps,
  ],
  [
    'a text that doubles',
    "{% set ns = namespace(x='abcdefgh') %}{% for a in range(64) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
    steps,
  ],
  [
    'a text that is replaced by itself',
    "{% set ns = namespace(x='aaaaaaaa') %}{% for a in range(64) %}{% set ns.x = ns.x | replace('a', ns.x) %}{% endfor %}{{ ns.x }}",
    steps,
  ],
  ['a macro that calls itself', '{% macro f(g) %}{{ g(g) }}{% endmacro %}{{ f(f) }}', steps],
  ['two macros that call each other', '{% macro f(a, b) %}{{ b(b, a) }}{% endmacro %}{{ f(f, f) }}', steps],
  ['brackets in brackets', `{{ ${nested('(', ')', 50_000)} }}`, /./],
  ['lists in lists', `{{ ${nested('[', ']', 50_000)} }}`, /./],
  ['conditions in conditions', nested('{% if true %}', '{% endif %}', 5000), /./],
  ['a template without end', 'x'.repeat(2 ** 20), /longer than 262144 characters/],
  ['a block that is never closed', '{% for m in messages %}'.repeat(5000), /./],
  ['a comment that is never closed', `{# ${'#'.repeat(100_000)}`, /./],
])('a template with %s', (_, template, message) => {
  const render = () => renderChat(template, [user]);
  expect(render).toThrow(TemplateError);
  expect(render).toThrow(message);
});

test('a template sees no more than it is given', () => {
  const seen = ['process', 'globalThis', 'require', 'constructor', '__proto__'].map((name) =>
    renderChat(`{{ ${name} is defined }} {{ messages[0]['${name}'] is defined }}`, [user]),
  );
  expect(seen).toEqual(seen.map(() => 'false false'));
});
