import { expect, test } from 'vitest';
import type { Row } from '../../src/runtime/data/row.ts';
import {
  preferenceOf,
  promptCompletionOf,
  promptOf,
  rowKindOf,
  textOf,
} from '../../src/runtime/data/shapes.ts';

const row = (value: Record<string, unknown>): Row => ({ value, file: 'data/x.jsonl', line: 7 });
const user = { role: 'user', content: 'u' };
const assistant = { role: 'assistant', content: 'a' };

test('the kind of a row follows its fields', () => {
  expect(rowKindOf(row({ text: 't' }))).toBe('text');
  expect(rowKindOf(row({ prompt: 'p' }))).toBe('prompt');
  expect(rowKindOf(row({ prompt: 'p', completion: 'c', text: 't' }))).toBe('completion');
  expect(rowKindOf(row({ messages: [user, assistant] }))).toBe('completion');
  expect(rowKindOf(row({ messages: [user] }))).toBe('prompt');
  expect(rowKindOf(row({ prompt: 'p', chosen: 'c', rejected: 'r' }))).toBe('preference');
  expect(() => rowKindOf(row({ body: 't' }))).toThrow('data/x.jsonl:7: the row has no field `text`');
});

test('rows of each shape', () => {
  expect(textOf(row({ text: 't' }))).toBe('t');
  expect(promptCompletionOf(row({ prompt: 'p', completion: '' }))).toEqual({
    kind: 'text',
    prompt: 'p',
    completion: '',
  });
  expect(promptCompletionOf(row({ messages: [user, assistant] }))).toEqual({
    kind: 'chat',
    prompt: [user],
    messages: [user, assistant],
  });
  expect(promptCompletionOf(row({ prompt: [user], completion: [assistant] }))).toEqual({
    kind: 'chat',
    prompt: [user],
    messages: [user, assistant],
  });
  expect(preferenceOf(row({ prompt: 'p', chosen: 'c', rejected: 'r', margin: '0.5' }))).toEqual({
    ...{ kind: 'text', prompt: 'p', chosen: 'c', rejected: 'r', margin: 0.5 },
  });
  expect(preferenceOf(row({ prompt: [user], chosen: [assistant], rejected: [assistant] }))).toEqual({
    ...{ kind: 'chat', prompt: [user], chosen: [assistant], rejected: [assistant] },
  });
  expect(promptOf(row({ prompt: 'p', completion: 'c' }))).toEqual({ kind: 'text', prompt: 'p' });
  expect(promptOf(row({ messages: [user, assistant] }))).toEqual({ kind: 'chat', prompt: [user] });
  expect(promptOf(row({ messages: [user, assistant, user] }))).toEqual({
    kind: 'chat',
    prompt: [user, assistant, user],
  });
});

test.each([
  [textOf, { txt: 't' }, 'the row has no field `text`'],
  [textOf, { text: 3 }, 'the field `text` is a number, not text'],
  [promptCompletionOf, { prompt: 'p', complete: 'c' }, 'the row has no field `completion`'],
  [promptCompletionOf, { prompt: 'p', completion: null }, 'the row has no field `completion`'],
  [
    promptCompletionOf,
    { prompt: 'p', completion: [assistant] },
    '`prompt` is text and `completion` is a list',
  ],
  [promptCompletionOf, { messages: [assistant, user] }, "the last of its messages is the user's"],
  [promptCompletionOf, { messages: [] }, '`messages` has no message'],
  [promptCompletionOf, { messages: 'hello' }, '`messages` is not a list of messages'],
  [promptCompletionOf, { messages: ['hello'] }, 'message 1 of `messages` is not an object'],
  [
    promptCompletionOf,
    { messages: [{ speaker: 'human', text: 'x' }] },
    'has no `role` and no `content`; it has speaker, text',
  ],
  [
    promptCompletionOf,
    { messages: [user, { role: 'asistant', content: '' }] },
    'message 2 of `messages` has the role "asistant"; did you mean `assistant`?',
  ],
  [
    promptCompletionOf,
    { messages: [user, { role: 'assistant', content: null }] },
    'message 2 of `messages` has no `content`; it has role',
  ],
  [preferenceOf, { prompt: 'p', chosen: 'c' }, 'the row has no field `rejected`'],
  [
    preferenceOf,
    { prompt: 'p', chosen: 'c', rejected: 'r', margin: 'big' },
    '`margin` is "big", not a number',
  ],
  [
    preferenceOf,
    { prompt: [user], chosen: [user], rejected: [assistant] },
    "`chosen` does not end with the assistant's turn",
  ],
  [promptOf, { question: 'q' }, 'the row has no field `prompt`'],
  [promptOf, { messages: [assistant] }, 'no turn before'],
])('%o refuses %j', (shape, value, message) => {
  const read = () => shape(row(value));
  expect(read).toThrow(message);
  expect(read).toThrow(/^data\/x\.jsonl:7: /);
});

test('a missing field proposes how to rename the column that is there', () => {
  try {
    promptCompletionOf(row({ promt: 'p', completion: 'c' }));
    expect.unreachable();
  } catch (error) {
    const { kind, help, notes } = error as { kind: string; help: string[]; notes: string[] };
    expect(kind).toBe('missing-field');
    expect(help).toEqual(['rename the columns: `→ columns(prompt=promt)`']);
    expect(notes).toContain('the row has: promt completion');
  }
  const strange = row({ Question: 'q', Answer: 'a', Group: 'g' });
  const help = ['rename the columns: `→ columns(prompt=Question completion=Answer)`'];
  expect(() => promptCompletionOf(strange)).toThrow(expect.objectContaining({ help }));
  expect(() => preferenceOf(row({ messages: [] }))).toThrow(
    expect.objectContaining({ help: ['name other data: these rows are of another shape'] }),
  );
});
