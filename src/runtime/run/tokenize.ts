/** What `ftc tokenize` computes: texts and conversations as the tokenizer's ids. */
import { badRow } from '../data/data-error.ts';
import { jsonRow } from '../data/files/json-row.ts';
import { StageError } from '../stages/stage.ts';
import { namesOf, renderChat, TemplateError } from '../tokenizers/chat-template.ts';
import type { OpenedTokenizer } from './open-tokenizer.ts';

export interface Tokenized {
  readonly ids: Int32Array;
  /** The text, or the conversation as the chat template renders it. */
  readonly text: string;
}

type Message = Parameters<typeof renderChat>[1][number];

/** Where a line stands; for messages. */
interface Place {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

/**
 * `{"text"}`, or `{"messages", "add_generation_prompt"}`.
 * Errors: DataError for another line, and StageError, both naming it.
 */
export function tokenizeLine(opened: OpenedTokenizer, line: string, place: Place): Tokenized {
  const { text, messages, add_generation_prompt: prompt } = jsonRow(line, place).value;
  if ((text === undefined) === (messages === undefined))
    throw badRow(place, 'the row needs either `text` or `messages`');
  if (prompt !== undefined && typeof prompt !== 'boolean')
    throw badRow(place, '`add_generation_prompt` is true or false');
  if (typeof text === 'string') return tokenizeText(opened, text);
  if (text !== undefined) throw badRow(place, '`text` is no text');
  if (!Array.isArray(messages) || messages.length === 0 || !messages.every(isMessage))
    throw badRow(place, '`messages` is no list of objects, each with a `role`');
  try {
    return tokenizeChat(opened, messages, prompt === true);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new StageError(
      'bad-template',
      `${place.file}:${place.line}: the chat template fails: ${error.message}`,
      place,
    );
  }
}

/** With what the tokenizer puts around a text. */
export function tokenizeText({ tokenizer }: OpenedTokenizer, text: string): Tokenized {
  return { text, ids: tokenizer.encodeText(text) };
}

/** Through the chat template, which writes its own special tokens: as transformers' `apply_chat_template`. Errors: TemplateError, StageError. */
export function tokenizeChat(
  { tokenizer, template }: OpenedTokenizer,
  messages: readonly Message[],
  addGenerationPrompt: boolean,
): Tokenized {
  if (template === '')
    throw new StageError('bad-template', 'the model has no chat template, so `messages` cannot be rendered', {
      help: ['give `text`, or put a chat_template.jinja into the directory of the model'],
    });
  const text = renderChat(template, messages, { ...namesOf(tokenizer), addGenerationPrompt });
  return { text, ids: tokenizer.encode(text) };
}

const isMessage = (value: unknown): value is Message =>
  typeof value === 'object' && value !== null && typeof (value as { role?: unknown }).role === 'string';
