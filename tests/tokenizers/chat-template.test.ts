import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  chatTemplateOf,
  defaultTemplate,
  encodeChat,
  encodePrompt,
  endOfTurn,
  renderChat,
  specialTokensOf,
  stopTokensOf,
  TemplateError,
} from '../../src/runtime/tokenizers/chat-template.ts';
import { loadTokenizer } from '../../src/runtime/tokenizers/load-tokenizer.ts';
import { trainTokenizer } from '../../src/runtime/tokenizers/train-tokenizer.ts';

/** The worked example of the language's page: no generation prompt of its own. */
const worked = '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}';
const chatml = `{% for message in messages %}
{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] | trim + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- endif %}
`;
const llama3 = `{{- bos_token }}{% for message in messages %}{% if loop.first and message.role == 'assistant' %}{{ raise_exception('the user speaks first') }}{% endif %}
{{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content | trim + '<|eot_id|>' }}{% endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}`;
const generation = `{% for m in messages %}{% if m.role == 'assistant' %}[A]
{%- generation -%} {{ m.content }}<|end|>
{%- endgeneration %} {% else %}[U]{{ m.content }}{% endif %}{% endfor %}{% if add_generation_prompt %}[A]{% endif %}`;
const plain =
  '{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}';

const tokens = [
  '<|system|>',
  '<|user|>',
  '<|assistant|>',
  '<|end|>',
  '<|im_start|>',
  '<|im_end|>',
  '<|eot_id|>',
];
const headers = ['<|start_header_id|>', '<|end_header_id|>'];
const files = await trainTokenizer(['the dose of the drug is 5 mg'], {
  vocabularySize: 300,
  specialTokens: [...tokens, ...headers],
});
const tokenizer = loadTokenizer(files.json, { ...files.config, bos_token: '<|endoftext|>' });

const question = { role: 'user', content: 'hi 5' };
const answer = { role: 'assistant', content: 'yes 患' };
const turns = [
  { role: 'system', content: 's' },
  question,
  answer,
  { role: 'user', content: 'and' },
  { role: 'assistant', content: 'no' },
];

/** The text with the learned part in braces. */
function show(template: string, messages: typeof turns, from?: number): string {
  const { ids, supervised } = encodeChat(tokenizer, template, messages, from === undefined ? {} : { from });
  let text = '';
  let open = 0;
  const pieces: number[][] = [[]];
  ids.forEach((id, i) => {
    if (supervised[i] !== open) pieces.push([]);
    open = supervised[i]!;
    pieces.at(-1)!.push(id);
  });
  const first = supervised[0] === 1 ? 1 : 0;
  pieces.forEach((piece, i) => {
    const part = tokenizer.decode(piece);
    text += (i + first) % 2 === 1 ? `{${part}}` : part;
  });
  return text;
}

test('only answers and their end tokens are learned', () => {
  expect(show(defaultTemplate, turns)).toBe(
    '<|system|>s<|end|><|user|>hi 5<|end|><|assistant|>{yes 患<|end|>}<|user|>and<|end|><|assistant|>{no<|end|>}',
  );
  expect(show(worked, turns)).toBe(show(defaultTemplate, turns));
  expect(show(chatml, [question, answer])).toBe(
    '<|im_start|>user\nhi 5<|im_end|>\n<|im_start|>assistant\n{yes 患<|im_end|>}\n',
  );
  expect(show(llama3, [question, answer])).toBe(
    '<|endoftext|><|start_header_id|>user<|end_header_id|>\n\nhi 5<|eot_id|>' +
      '<|start_header_id|>assistant<|end_header_id|>\n\n{yes 患<|eot_id|>}',
  );
  expect(show(generation, [question, answer, question, answer])).toBe(
    '[U]hi 5[A]{yes 患<|end|>} [U]hi 5[A]{yes 患<|end|>} ',
  );
  expect(show(defaultTemplate, [question])).toBe('<|user|>hi 5<|end|>');
});

test('a template without an end token gets the end of text after the last answer', () => {
  expect(show(plain, [question, answer])).toBe('user: hi 5\nassistant: {yes 患\n<|endoftext|>}');
  expect(endOfTurn(tokenizer, plain)).toBe(tokenizer.eos);
  const marked = `{% for m in messages %}{% if m.role == 'assistant' %}A {% generation %}{{ m.content }}{% endgeneration %}{% else %}U {{ m.content }}{% endif %}
{% endfor %}`;
  expect(show(marked, [question, answer])).toBe('U hi 5A {yes 患<|endoftext|>}');
});

test('the last special token after an answer ends it', () => {
  expect(endOfTurn(tokenizer, defaultTemplate)).toBe(tokenizer.idOf('<|end|>'));
  expect(endOfTurn(tokenizer, worked)).toBe(tokenizer.idOf('<|end|>'));
  expect(endOfTurn(tokenizer, chatml)).toBe(tokenizer.idOf('<|im_end|>'));
  expect(endOfTurn(tokenizer, llama3)).toBe(tokenizer.idOf('<|eot_id|>'));
  expect(stopTokensOf(tokenizer, chatml)).toEqual([tokenizer.eos, tokenizer.idOf('<|im_end|>')]);
  expect(stopTokensOf(tokenizer, plain)).toEqual([tokenizer.eos]);
  expect(stopTokensOf(tokenizer, '')).toEqual([tokenizer.eos]);
});

test('a prompt ends where an answer begins, with or without a generation prompt in the template', () => {
  const prompt = (template: string, messages = [question]) =>
    tokenizer.decode(encodePrompt(tokenizer, template, messages));
  expect(prompt(defaultTemplate)).toBe('<|user|>hi 5<|end|><|assistant|>');
  expect(prompt(worked)).toBe('<|user|>hi 5<|end|><|assistant|>');
  expect(prompt(chatml)).toBe('<|im_start|>user\nhi 5<|im_end|>\n<|im_start|>assistant\n');
  expect(prompt(generation)).toBe('[U]hi 5[A]');
  expect(prompt(plain)).toBe('user: hi 5\nassistant: ');
});

test('the tokens of a prompt are those before the answer in the whole conversation, whatever is said', () => {
  const content = fc
    .oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(' a', '患者', '\n\n', '5'))
    .filter((s) => s === s.trim());
  const pair = fc.tuple(content, content);
  const template = fc.constantFrom(defaultTemplate, worked, chatml, llama3, generation, plain);
  fc.assert(
    fc.property(template, fc.array(pair, { minLength: 1, maxLength: 3 }), (text, pairs) => {
      const messages = pairs.flatMap(([asked, said]) => [
        { role: 'user', content: asked },
        { role: 'assistant', content: said },
      ]);
      const whole = encodeChat(tokenizer, text, messages);
      const prompt = encodePrompt(tokenizer, text, messages.slice(0, -1));
      expect([...whole.ids.subarray(0, prompt.length)]).toEqual([...prompt]);
      const rest = whole.supervised.subarray(prompt.length);
      expect(whole.supervised[prompt.length - 1]).toBe(0);
      expect(rest[0]).toBe(1);
      expect(tokenizer.decode(whole.ids)).toContain(
        renderChat(text, messages, { bosToken: '<|endoftext|>' }),
      );
    }),
    { numRuns: 200 },
  );
});

test('answers before a completion are context', () => {
  expect(show(defaultTemplate, turns, 3)).toBe(
    '<|system|>s<|end|><|user|>hi 5<|end|><|assistant|>yes 患<|end|><|user|>and<|end|><|assistant|>{no<|end|>}',
  );
});

test('special tokens: written, composed from roles, composed in expressions', () => {
  expect(specialTokensOf(defaultTemplate)).toEqual(['<|system|>', '<|end|>', '<|user|>', '<|assistant|>']);
  expect(specialTokensOf(worked)).toEqual(['<|system|>', '<|end|>', '<|user|>', '<|assistant|>']);
  expect(specialTokensOf(chatml)).toEqual(['<|im_start|>', '<|im_end|>']);
  expect(specialTokensOf(llama3)).toEqual(['<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>']);
  expect(specialTokensOf(plain)).toEqual([]);
  expect(
    specialTokensOf(
      "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}<s>{{ '<|' ~ 'x' ~ '|>' }}",
    ),
  ).toEqual(['<s>', '<|x|>']);
});

test('a template whose prefixes are rendered in another way is refused, and can be marked', () => {
  const counting =
    '{{ messages | length }}{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}';
  expect(() => encodeChat(tokenizer, counting, turns)).toThrow(TemplateError);
  expect(() => encodeChat(tokenizer, counting, turns)).toThrow(
    /the prompt of message 3 alone in another way .*generation/,
  );
});

test('errors of jinja and of the template itself are typed', () => {
  expect(() => renderChat(llama3, [answer])).toThrow(TemplateError);
  expect(() => renderChat(llama3, [answer])).toThrow('the user speaks first');
  expect(() => renderChat('{% for m in messages %}', [answer])).toThrow(TemplateError);
  expect(() => encodePrompt(tokenizer, 'nothing', [question])).toThrow('does not write the content');
});

test('texts are stripped as Python strips them', () => {
  const content = '\ufeff\x1c\x85 \n<x>a<x>\n \t\u3000';
  const strip = (call: string) => renderChat(`{{ messages[0].content${call} }}`, [{ role: 'user', content }]);
  expect(strip('.strip()')).toBe('\ufeff\x1c\x85 \n<x>a<x>');
  expect(strip(' | trim')).toBe(strip('.strip()'));
  expect(strip('.rstrip(" \\n\\t\u3000")')).toBe('\ufeff\x1c\x85 \n<x>a<x>');
  expect(strip('.lstrip("\ufeff").lstrip()')).toBe('<x>a<x>\n \t\u3000');
  expect(strip('.lstrip("\ufeff").lstrip().strip("<>x")')).toBe('a<x>\n \t\u3000');
  expect(strip(' | trim("\ufeff\u3000") | trim')).toBe('<x>a<x>');
  expect(strip('.strip("")')).toBe(content);
});

test('the end of a turn is learned where the marks of a template leave it out', () => {
  const marked =
    "{% for m in messages %}<|{{ m.role }}|>{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}<|end|>{% endfor %}";
  expect(show(marked, [question, answer, question, answer])).toBe(
    '<|user|>hi 5<|end|><|assistant|>{yes 患<|end|>}<|user|>hi 5<|end|><|assistant|>{yes 患<|end|>}',
  );
});

test('an answer is found where others after it change what stands around it', () => {
  const thinking =
    "{% for m in messages %}<|{{ m.role }}|>{% if loop.last and m.role == 'assistant' %}[hm]{% endif %}{{ m.content | trim }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";
  expect(show(thinking, [question, answer, question, answer])).toBe(
    '<|user|>hi 5<|end|><|assistant|>{yes 患<|end|>}<|user|>hi 5<|end|><|assistant|>{[hm]yes 患<|end|>}',
  );
});

test('the clock stands still', () => {
  expect(renderChat("{{ strftime_now('%d %b %Y, %A %j %%') }}", [])).toBe('26 Jul 2024, Friday %j %');
});

test('the template of a tokenizer_config.json', () => {
  const named = [
    { name: 'tool', template: 'x' },
    { name: 'default', template: 'y' },
  ];
  expect(chatTemplateOf({})).toBeUndefined();
  expect(chatTemplateOf({ chat_template: 'x' })).toBe('x');
  expect(chatTemplateOf({ chat_template: named })).toBe('y');
});
