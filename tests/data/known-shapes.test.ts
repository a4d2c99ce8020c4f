import { describe, expect, test } from 'vitest';
import type { Row } from '../../src/runtime/data/row.ts';
import { recogniseShape } from '../../src/runtime/data/shapes/recognise-shape.ts';
import {
  preferenceOf,
  promptCompletionOf,
  promptOf,
  rowKindOf,
  textOf,
} from '../../src/runtime/data/shapes.ts';

const row = (value: Record<string, unknown>): Row => ({ value, file: 'x.jsonl', line: 3 });
const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const system = (content: string) => ({ role: 'system', content });
const chat = (...messages: { role: string; content: string }[]) => ({
  kind: 'chat',
  prompt: messages.slice(0, -1),
  messages,
});
const shapeIn = (...values: Record<string, unknown>[]) => recogniseShape(values.map(row));

describe('Alpaca', () => {
  const words =
    'Below is an instruction that describes a task. Write a response that appropriately completes the request.';
  const pairedWords =
    'Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.';

  test('is asked in the words that its authors trained with', () => {
    const alone = row({ instruction: 'Give three tips.', input: '', output: '1. Sleep.' });
    expect(promptCompletionOf(alone)).toEqual({
      kind: 'text',
      prompt: `${words}\n\n### Instruction:\nGive three tips.\n\n### Response:\n`,
      completion: '1. Sleep.',
    });
    const paired = row({ instruction: 'Translate.', input: 'Haus', output: 'house', text: 'not read' });
    expect(promptCompletionOf(paired)).toMatchObject({
      prompt: `${pairedWords}\n\n### Instruction:\nTranslate.\n\n### Input:\nHaus\n\n### Response:\n`,
    });
    expect(promptOf(alone)).toMatchObject({ kind: 'text', prompt: expect.stringMatching(/Give three tips/) });
    expect(textOf(paired)).toBe('not read');
    expect(rowKindOf(alone)).toBe('completion');
    expect(promptCompletionOf(row({ instruction: 'a', output: 'b' }))).toMatchObject({ completion: 'b' });
  });

  test('with a system prompt or a history it is a chat', () => {
    const turns = { instruction: 'And red?', input: 'shade 2', output: 'Rot.' };
    const history = [['Blue?', 'Blau.']];
    expect(promptCompletionOf(row({ ...turns, system: 'Speak German.', history }))).toEqual(
      chat(
        system('Speak German.'),
        user('Blue?'),
        assistant('Blau.'),
        user('And red?\nshade 2'),
        assistant('Rot.'),
      ),
    );
    expect(promptCompletionOf(row({ ...turns, input: '', system: '', history: [] }))).toEqual(
      chat(user('And red?'), assistant('Rot.')),
    );
    expect(() => promptCompletionOf(row({ ...turns, history: [['only a question']] }))).toThrow(
      'x.jsonl:3: round 1 of `history` is not a question and an answer',
    );
  });

  test('answers may be a preference', () => {
    const given = row({ instruction: 'Be kind.', input: '', chosen: 'Yes.', rejected: 'No.' });
    expect(preferenceOf(given)).toEqual({
      kind: 'text',
      prompt: `${words}\n\n### Instruction:\nBe kind.\n\n### Response:\n`,
      chosen: 'Yes.',
      rejected: 'No.',
    });
  });

  test('a number where text belongs is named', () => {
    expect(() => promptCompletionOf(row({ instruction: 'a', input: '', output: 7 }))).toThrow(
      'the field `output` is a number, not text',
    );
  });
});

describe('ShareGPT and OpenAI chats', () => {
  const turn = (from: string, value: string) => ({ from, value });

  test('from and value, under the names that are in use', () => {
    const conversations = [
      turn('system', 's'),
      turn('human', 'h'),
      turn('gpt', 'g'),
      turn('tool', 't'),
      turn('gpt', 'end'),
    ];
    expect(promptCompletionOf(row({ id: 1, conversations }))).toEqual(
      chat(system('s'), user('h'), assistant('g'), { role: 'tool', content: 't' }, assistant('end')),
    );
    expect(promptCompletionOf(row({ conversation: [turn('user', 'h'), turn('chatgpt', 'g')] }))).toEqual(
      chat(user('h'), assistant('g')),
    );
    expect(
      promptCompletionOf(row({ conversations: [user('h'), assistant('g')], system: 'be brief' })),
    ).toEqual(chat(system('be brief'), user('h'), assistant('g')));
    expect(promptOf(row({ conversations: [turn('human', 'h'), turn('gpt', 'g')] }))).toEqual({
      kind: 'chat',
      prompt: [user('h')],
    });
  });

  test('content in parts, developer messages, weights', () => {
    const messages = [
      { role: 'developer', content: 'd' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'one ' },
          { type: 'text', text: 'two' },
        ],
        name: 'Eve',
      },
      { role: 'assistant', content: 'not learned', weight: 0 },
      user('again'),
      { role: 'assistant', content: 'learned', weight: 1, tool_calls: [] },
    ];
    const read = promptCompletionOf(row({ messages, tools: [] }));
    expect(read).toMatchObject({
      messages: [
        system('d'),
        user('one two'),
        { ...assistant('not learned'), weight: 0 },
        user('again'),
        assistant('learned'),
      ],
    });
  });

  test.each([
    [
      { messages: [user('u'), { role: 'assistant', content: null, tool_calls: [{ id: 'a' }] }] },
      'message 2 of `messages` has `tool_calls`: calls are not rendered',
    ],
    [
      { conversations: [turn('human', 'u'), turn('function_call', '{}')] },
      'message 2 of `conversations` is a call of a function',
    ],
    [{ messages: [user('u'), assistant('a')], tools: [{ name: 'search' }] }, 'the row has `tools`'],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: 'x' }] }] },
      'part 1 of the content of message 1 of `messages` is "image_url", and only text is read',
    ],
    [
      { messages: [user('u'), { ...assistant('a'), weight: 2 }] },
      'has the weight 2; it is 0 (not learned) or 1',
    ],
    [
      { conversations: [turn('narrator', 'u')] },
      'has the role "narrator"; roles are system, user, assistant, tool',
    ],
    [{ conversations: [turn('human', 'h')] }, "the last of its messages is the user's"],
  ])('%j is refused', (value, message) => {
    expect(() => promptCompletionOf(row(value))).toThrow(message);
  });
});

describe('preferences', () => {
  test('turns that both begin with are the prompt', () => {
    const value = {
      chosen: [user('q'), assistant('good')],
      rejected: [user('q'), assistant('bad')],
      score_chosen: 8,
    };
    const pair = {
      kind: 'chat',
      prompt: [user('q')],
      chosen: [assistant('good')],
      rejected: [assistant('bad')],
    };
    expect(preferenceOf(row(value))).toEqual(pair);
    // As UltraFeedback has it: the question beside them as text.
    expect(preferenceOf(row({ ...value, prompt: 'q', messages: value.chosen }))).toEqual(pair);
    expect(promptOf(row({ ...value, prompt: 'q' }))).toEqual({ kind: 'chat', prompt: [user('q')] });
    expect(rowKindOf(row(value))).toBe('preference');
  });

  test.each([
    // hh-rlhf: up to the mark of the last turn.
    [
      '\n\nHuman: Hi\n\nAssistant: I am well',
      '\n\nHuman: Hi\n\nAssistant: I will not',
      '\n\nHuman: Hi\n\nAssistant:',
    ],
    // Not within a word, and the space goes with the answer.
    ['The sky is blue', 'The sky is black', 'The sky is'],
    ['天空是蓝色的', '天空是黑色的', '天空是'],
    ['smile 😀', 'smile 😁', 'smile'],
    ['Q: 1+1? A: 2', 'Q: 1+1? A: 3', 'Q: 1+1? A:'],
    ['The end', 'The end of it', 'The end'],
    ['yes', 'no', ''],
  ])('text that %j and %j begin with', (chosen, rejected, prompt) => {
    const given = row({ chosen, rejected });
    if (prompt === '') expect(() => preferenceOf(given)).toThrow('the row has no field `prompt`');
    else
      expect(preferenceOf(given)).toEqual({
        kind: 'text',
        prompt,
        chosen: chosen.slice(prompt.length),
        rejected: rejected.slice(prompt.length),
      });
  });

  test('turns of ShareGPT, a question and a system prompt, one turn for an answer', () => {
    const turn = (from: string, value: string) => ({ from, value });
    expect(
      preferenceOf(
        row({ conversations: [turn('human', 'q')], chosen: turn('gpt', 'yes'), rejected: turn('gpt', 'no') }),
      ),
    ).toEqual({ kind: 'chat', prompt: [user('q')], chosen: [assistant('yes')], rejected: [assistant('no')] });
    expect(preferenceOf(row({ system: 's', question: 'q', chosen: 'yes', rejected: 'no' }))).toEqual({
      kind: 'chat',
      prompt: [system('s'), user('q')],
      chosen: [assistant('yes')],
      rejected: [assistant('no')],
    });
    expect(
      preferenceOf(row({ prompt: 'p', chosen: [assistant('yes')], rejected: [assistant('no')] })),
    ).toMatchObject({
      prompt: [user('p')],
    });
  });

  test.each([
    [{ chosen: 'a', rejected: [assistant('b')] }, '`rejected` is a list of messages and `chosen` is text'],
    [{ chosen: [assistant('a')], rejected: [assistant('b')] }, 'the row has no field `prompt`'],
    [
      { prompt: [user('a')], chosen: 'a', rejected: 'b' },
      '`prompt` is a list of messages and `chosen` is text',
    ],
    [{ prompt: 'p', completion: 'c', label: true }, 'the row has no field `chosen`, `rejected`'],
  ])('%j is refused', (value, message) => {
    expect(() => preferenceOf(row(value))).toThrow(message);
  });

  test('answers that were judged one by one say what to do', () => {
    const judged = row({ prompt: 'p', completion: 'c', label: false });
    const help = ['put answers to the same prompt together with `→ pairs()`'];
    expect(() => preferenceOf(judged)).toThrow(expect.objectContaining({ kind: 'missing-field', help }));
    const accept = ['leave only the accepted answers with `→ accepted()`'];
    expect(() => promptCompletionOf(judged)).toThrow(
      expect.objectContaining({ kind: 'bad-row', help: accept }),
    );
    expect(promptCompletionOf(row({ prompt: 'p', completion: 'c', label: true }))).toMatchObject({
      completion: 'c',
    });
  });
});

describe('questions and answers', () => {
  test.each([
    [{ question: 'q', answer: 'a' }, 'q', 'a'],
    [{ query: 'q', response: 'a', id: 4 }, 'q', 'a'],
    [{ problem: 'q', solution: 'a', answer: '42' }, 'q', 'a'],
    [{ prompt: 'q', response: 'a', answer: '42' }, 'q', 'a'],
    [{ input: 'q', output: 'a' }, 'q', 'a'],
  ])('%j', (value, prompt, completion) => {
    expect(promptCompletionOf(row(value))).toEqual({ kind: 'text', prompt, completion });
  });

  test('a system prompt makes them chats', () => {
    expect(promptCompletionOf(row({ system_prompt: 's', question: 'q', response: 'a' }))).toEqual(
      chat(system('s'), user('q'), assistant('a')),
    );
    expect(promptCompletionOf(row({ system_prompt: '', question: 'q', response: 'a' }))).toEqual(
      chat(user('q'), assistant('a')),
    );
  });

  test('columns that could both be meant are not guessed', () => {
    expect(() => promptCompletionOf(row({ question: 'q', query: 'r', answer: 'a' }))).toThrow(
      expect.objectContaining({
        kind: 'ambiguous-columns',
        message: 'x.jsonl:3: `question` or `query` could be the prompt',
        help: ['say which is meant: `→ columns(prompt=question completion=answer)`'],
        notes: ['the row has: question query answer'],
      }),
    );
    expect(() => promptCompletionOf(row({ question: 'q', response: 'r', output: 'a' }))).toThrow(
      '`response` or `output` could be the completion',
    );
  });

  test('`answer` beside `prompt` is what an answer is compared with', () => {
    expect(rowKindOf(row({ prompt: 'p', answer: '42' }))).toBe('prompt');
  });
});

test('columns in other languages are proposed by what they mean, else in their order', () => {
  const help = (mapping: string) => [`rename the columns: \`→ columns(${mapping})\``];
  const failing = (value: Record<string, unknown>) => () => promptCompletionOf(row(value));
  expect(failing({ 编号: '1', 回答: 'a', 问题: 'q' })).toThrow(
    expect.objectContaining({ kind: 'missing-field', help: help('prompt=问题 completion=回答') }),
  );
  expect(failing({ n: 1, erste: 'q', zweite: 'a' })).toThrow(
    expect.objectContaining({ help: help('prompt=erste completion=zweite') }),
  );
  expect(failing({ n: 1, m: 2 })).toThrow(
    expect.objectContaining({
      help: ['name other data: these rows are of another shape'],
      notes: expect.arrayContaining([
        'the row has: n m',
        expect.stringMatching(
          /^shapes known by their columns: .*Alpaca \(instruction input output\), .*ShareGPT|^shapes known by their columns: .*ShareGPT \(conversations\).*Alpaca/,
        ),
      ]),
    }),
  );
});

test('what rows are taken for, and what of them is not read', () => {
  expect(
    shapeIn({ instruction: 'a', output: 'b', id: 1 }, { instruction: 'a', input: 'i', output: 'b' }),
  ).toEqual([
    {
      shape: 'Alpaca',
      fields: [
        { field: 'prompt', from: "instruction + input, in Alpaca's words", isItself: false },
        { field: 'completion', from: 'output', isItself: false },
      ],
      unread: ['id'],
    },
  ]);
  const names = (...values: Record<string, unknown>[]) => shapeIn(...values).map(({ shape }) => shape);
  const conversations = [
    { from: 'human', value: 'h' },
    { from: 'gpt', value: 'g' },
  ];
  expect(names({ conversations }, { messages: [user('a')] }, { text: 't' }, { prompt: 'p' })).toEqual([
    'ShareGPT',
    'messages',
    'text',
    'prompt',
  ]);
  expect(names({ prompt: 'p', completion: 'c' }, { prompt: 'p', completion: 'c', label: false })).toEqual([
    'prompt and completion',
    'unpaired preference',
  ]);
  expect(shapeIn({ chosen: 'a b', rejected: 'a c', margin: 1 })).toEqual([
    {
      shape: 'preference',
      fields: [
        { field: 'prompt', from: 'chosen + rejected, what both begin with', isItself: false },
        { field: 'chosen', from: 'chosen', isItself: true },
        { field: 'rejected', from: 'rejected', isItself: true },
      ],
      unread: [],
    },
  ]);
  expect(names({ 问题: 'q' })).toEqual([]);
});
