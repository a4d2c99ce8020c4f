/** The shapes of rows that stages take, checked as rows are read. Errors are DataError `missing-field` or `bad-row`. */
import { badRow, DataError } from './data-error.ts';
import { type Message, messagesOf } from './messages.ts';
import type { Row } from './row.ts';
import { guessMapping } from './shapes/guess-mapping.ts';
import { knownShapes, plainRow, shapeOf } from './shapes/known-shapes.ts';
import { has, textIn } from './shapes/shape.ts';
import { labelOf, unpaired } from './shapes/unpaired.ts';

export type RowKind = 'text' | 'completion' | 'preference' | 'prompt';

/** What stands before an answer: text as it is, or turns for the chat template. */
export type Prompt =
  | { readonly kind: 'text'; readonly prompt: string }
  | { readonly kind: 'chat'; readonly prompt: readonly Message[] };

export type PromptCompletion =
  | { readonly kind: 'text'; readonly prompt: string; readonly completion: string }
  | {
      readonly kind: 'chat';
      /** Everything before the last assistant turn, or before the completion. */
      readonly prompt: readonly Message[];
      /** The whole conversation, ending with an assistant turn. */
      readonly messages: readonly Message[];
    };

export type Preference = { readonly margin?: number } & (
  | { readonly kind: 'text'; readonly prompt: string; readonly chosen: string; readonly rejected: string }
  | {
      readonly kind: 'chat';
      readonly prompt: readonly Message[];
      readonly chosen: readonly Message[];
      readonly rejected: readonly Message[];
    }
);

/** What a row can be used for: the first of preference, completion, prompt and text that fits. */
export function rowKindOf(row: Row): RowKind {
  const plain = plainRow(row);
  const there = (field: string) => has(plain, field);
  if (there('chosen') && there('rejected')) return 'preference';
  if (there('messages') || (there('prompt') && there('completion')))
    return endsWithUser(plain) ? 'prompt' : 'completion';
  if (there('prompt')) return 'prompt';
  if (there('text')) return 'text';
  throw missing(row, ['text'], 'text, prompt and completion, messages, or prompt, chosen and rejected');
}

/** `{text}` */
export function textOf(row: Row): string {
  if (!has(row, 'text')) throw missing(row, ['text'], 'rows with `text`');
  return textIn(row, 'text');
}

/** `{prompt, completion}` as text or as messages, `{messages}` that end with the assistant, or what is known to be like it. */
export function promptCompletionOf(given: Row): PromptCompletion {
  const row = plainRow(given);
  if (labelOf(row) === false) throw rejectedAnswer(row);
  if (has(row, 'messages')) {
    const messages = messagesOf(row, 'messages');
    if (messages.at(-1)!.role !== 'assistant') {
      throw badRow(
        row,
        `the last of its messages is the ${messages.at(-1)!.role}'s, and an answer by the assistant is needed`,
      );
    }
    return { kind: 'chat', prompt: messages.slice(0, -1), messages };
  }
  need(row, ['prompt', 'completion'], '`prompt` and `completion`, or `messages`');
  if (!bothLists(row, 'prompt', ['completion'])) {
    return { kind: 'text', prompt: textIn(row, 'prompt'), completion: textIn(row, 'completion') };
  }
  const [prompt, completion] = [messagesOf(row, 'prompt'), answerOf(row, 'completion')];
  return { kind: 'chat', prompt, messages: [...prompt, ...completion] };
}

/** `{prompt, chosen, rejected}` as text or as messages, with `margin` where there is one; the prompt may be their beginning. */
export function preferenceOf(given: Row): Preference {
  if (shapeOf(given) === unpaired) throw needsPairs(given);
  const rows = '`prompt`, `chosen` and `rejected`';
  need(given, ['chosen', 'rejected'], rows);
  const row = plainRow(given);
  need(row, ['prompt'], rows);
  const margin = marginOf(row);
  const rest = margin === undefined ? {} : { margin };
  if (!bothLists(row, 'prompt', ['chosen', 'rejected'])) {
    const [prompt, chosen, rejected] = ['prompt', 'chosen', 'rejected'].map((field) => textIn(row, field));
    return { kind: 'text', prompt: prompt!, chosen: chosen!, rejected: rejected!, ...rest };
  }
  const prompt = messagesOf(row, 'prompt');
  return {
    kind: 'chat',
    prompt,
    chosen: answerOf(row, 'chosen'),
    rejected: answerOf(row, 'rejected'),
    ...rest,
  };
}

/** `{prompt}`, or the prompt of a row of any other shape: for `messages` the turns before the assistant's last. */
export function promptOf(given: Row): Prompt {
  const row = plainRow(given);
  if (has(row, 'prompt') && (Array.isArray(row.value.prompt) || !has(row, 'messages'))) {
    return Array.isArray(row.value.prompt)
      ? { kind: 'chat', prompt: messagesOf(row, 'prompt') }
      : { kind: 'text', prompt: textIn(row, 'prompt') };
  }
  if (!has(row, 'messages')) throw missing(row, ['prompt'], '`prompt`, or `messages`');
  const messages = messagesOf(row, 'messages');
  const prompt = messages.at(-1)!.role === 'assistant' ? messages.slice(0, -1) : messages;
  if (prompt.length === 0) throw badRow(row, 'its messages have no turn before the assistant’s');
  return { kind: 'chat', prompt };
}

function endsWithUser(row: Row): boolean {
  return has(row, 'messages') && messagesOf(row, 'messages').at(-1)!.role !== 'assistant';
}

function need(row: Row, fields: readonly string[], rows: string): void {
  const absent = fields.filter((field) => !has(row, field));
  if (absent.length > 0) throw missing(row, absent, rows);
}

function missing(row: Row, fields: readonly string[], rows: string): DataError {
  const mapping = guessMapping(row, fields);
  return new DataError('missing-field', {
    file: row.file,
    line: row.line,
    fields,
    has: Object.keys(row.value),
    rows,
    shapes: knownShapes.map(({ name, columns }) => (name === columns ? name : `${name} (${columns})`)),
    ...(mapping !== undefined && { mapping }),
  });
}

/** Of answers that were judged one by one. */
function needsPairs(row: Row): DataError {
  return new DataError('missing-field', {
    file: row.file,
    line: row.line,
    fields: ['chosen', 'rejected'],
    has: Object.keys(row.value),
    rows: '`prompt`, `chosen` and `rejected`; these rows are answers with a `label` each',
    way: 'put answers to the same prompt together with `→ pairs()`',
  });
}

function rejectedAnswer(row: Row): DataError {
  const why = 'its `label` is false: this answer was turned down, and would be learned';
  return new DataError('bad-row', {
    file: row.file,
    line: row.line,
    why,
    help: 'leave only the accepted answers with `→ accepted()`',
  });
}

/** Whether all of these are message lists; an error where some are and some are not. */
function bothLists(row: Row, first: string, others: readonly string[]): boolean {
  const list = Array.isArray(row.value[first]);
  const odd = others.find((field) => Array.isArray(row.value[field]) !== list);
  if (odd === undefined) return list;
  const [is, other] = list ? ['a list of messages', 'not'] : ['text', 'a list'];
  throw badRow(row, `\`${first}\` is ${is} and \`${odd}\` is ${other}: both must be text, or both messages`);
}

/** A completion as messages: it ends with the assistant. */
function answerOf(row: Row, field: string): readonly Message[] {
  const messages = messagesOf(row, field);
  if (messages.at(-1)!.role !== 'assistant')
    throw badRow(row, `\`${field}\` does not end with the assistant's turn`);
  return messages;
}

function marginOf(row: Row): number | undefined {
  if (!has(row, 'margin')) return undefined;
  const { margin } = row.value;
  const number = typeof margin === 'string' && margin.trim() !== '' ? Number(margin) : margin;
  if (typeof number === 'number' && Number.isFinite(number)) return number;
  throw badRow(row, `\`margin\` is ${JSON.stringify(margin)}, not a number`);
}
