/** The shapes of rows that stages take, checked as rows are read. Errors are DataError `missing-field` or `bad-row`. */
import { badRow, DataError } from './data-error.ts';
import { type Message, messagesOf } from './messages.ts';
import type { Row } from './row.ts';

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

/** What a row can be used for, by its fields: the first of preference, completion, prompt and text that fits. */
export function rowKindOf(row: Row): RowKind {
  const has = (field: string) => row.value[field] !== undefined && row.value[field] !== null;
  if (has('chosen') && has('rejected')) return 'preference';
  if (has('messages') || (has('prompt') && has('completion')))
    return endsWithUser(row) ? 'prompt' : 'completion';
  if (has('prompt')) return 'prompt';
  if (has('text')) return 'text';
  throw missing(row, ['text'], 'text, prompt and completion, messages, or prompt, chosen and rejected');
}

/** `{text}` */
export function textOf(row: Row): string {
  if (!has(row, 'text')) throw missing(row, ['text'], 'rows with `text`');
  return stringOf(row, 'text');
}

/** `{prompt, completion}` as text or as messages, or `{messages}` that end with the assistant. */
export function promptCompletionOf(row: Row): PromptCompletion {
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
    return { kind: 'text', prompt: stringOf(row, 'prompt'), completion: stringOf(row, 'completion') };
  }
  const [prompt, completion] = [messagesOf(row, 'prompt'), answerOf(row, 'completion')];
  return { kind: 'chat', prompt, messages: [...prompt, ...completion] };
}

/** `{prompt, chosen, rejected}` as text or as messages, with `margin` where there is one. */
export function preferenceOf(row: Row): Preference {
  need(row, ['prompt', 'chosen', 'rejected'], '`prompt`, `chosen` and `rejected`');
  const margin = marginOf(row);
  const rest = margin === undefined ? {} : { margin };
  if (!bothLists(row, 'prompt', ['chosen', 'rejected'])) {
    const [prompt, chosen, rejected] = ['prompt', 'chosen', 'rejected'].map((field) => stringOf(row, field));
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
export function promptOf(row: Row): Prompt {
  if (has(row, 'prompt')) {
    return Array.isArray(row.value.prompt)
      ? { kind: 'chat', prompt: messagesOf(row, 'prompt') }
      : { kind: 'text', prompt: stringOf(row, 'prompt') };
  }
  if (!has(row, 'messages')) throw missing(row, ['prompt'], '`prompt`, or `messages`');
  const messages = messagesOf(row, 'messages');
  const prompt = messages.at(-1)!.role === 'assistant' ? messages.slice(0, -1) : messages;
  if (prompt.length === 0) throw badRow(row, 'its messages have no turn before the assistant’s');
  return { kind: 'chat', prompt };
}

function has(row: Row, field: string): boolean {
  return row.value[field] !== undefined && row.value[field] !== null;
}

function endsWithUser(row: Row): boolean {
  return has(row, 'messages') && messagesOf(row, 'messages').at(-1)!.role !== 'assistant';
}

function need(row: Row, fields: readonly string[], rows: string): void {
  const absent = fields.filter((field) => !has(row, field));
  if (absent.length > 0) throw missing(row, absent, rows);
}

function missing(row: Row, fields: readonly string[], rows: string): DataError {
  return new DataError('missing-field', {
    file: row.file,
    line: row.line,
    fields,
    has: Object.keys(row.value),
    rows,
  });
}

function stringOf(row: Row, field: string): string {
  const value = row.value[field];
  if (typeof value === 'string') return value;
  throw badRow(
    row,
    `the field \`${field}\` is ${Array.isArray(value) ? 'a list' : `a ${typeof value}`}, not text`,
  );
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
