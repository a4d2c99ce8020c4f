/** Lengths of rows in tokens before there is a tokenizer: bytes of text times the tokens a byte makes. */
import type { Row } from '../../data/row.ts';
import { preferenceOf, promptCompletionOf, promptOf, textOf } from '../../data/shapes.ts';
import type { EstimateContext } from '../stage.ts';

/** Markers that a template puts around a turn. */
const TOKENS_A_TURN = 2;

export interface RowLength {
  /** Whole sequence, prompt included. */
  readonly tokens: number;
  /** Tokens that carry loss. */
  readonly learned: number;
}

const bytes = (text: string) => Buffer.byteLength(text);
const textOfMessages = (messages: readonly { readonly content: string }[]) =>
  messages.map((m) => m.content).join('');

function answerLength(row: Row, ratio: number): RowLength {
  const example = promptCompletionOf(row);
  if (example.kind === 'text') {
    const learned = Math.ceil(bytes(example.completion) * ratio) + 1;
    return { tokens: Math.ceil(bytes(example.prompt) * ratio) + learned, learned };
  }
  const answers = example.messages.filter((m) => m.role === 'assistant');
  return {
    tokens:
      Math.ceil(bytes(textOfMessages(example.messages)) * ratio) + TOKENS_A_TURN * example.messages.length,
    learned: Math.ceil(bytes(textOfMessages(answers)) * ratio) + answers.length,
  };
}

function pairLength(row: Row, ratio: number): RowLength {
  const pair = preferenceOf(row);
  const text = (part: string | readonly { readonly content: string }[]) =>
    typeof part === 'string' ? part : textOfMessages(part);
  const longest = Math.max(bytes(text(pair.chosen)), bytes(text(pair.rejected)));
  return { tokens: Math.ceil((bytes(text(pair.prompt)) + longest) * ratio) + 2 * TOKENS_A_TURN, learned: 1 };
}

function promptLength(row: Row, ratio: number): RowLength {
  const prompt = promptOf(row);
  const text = prompt.kind === 'text' ? prompt.prompt : textOfMessages(prompt.prompt);
  return { tokens: Math.ceil(bytes(text) * ratio) + 2 * TOKENS_A_TURN, learned: 0 };
}

const textLength = (row: Row, ratio: number): RowLength => {
  const tokens = Math.ceil(bytes(textOf(row)) * ratio) + 1;
  return { tokens, learned: tokens };
};

export const measure = {
  text: textLength,
  completion: answerLength,
  preference: pairLength,
  prompt: promptLength,
};

/** Lengths of all rows of one side of the data. */
export async function lengthsOf(
  context: EstimateContext,
  option: string,
  split: 'train' | 'test' | 'all',
  kind: keyof typeof measure | ((row: Row) => keyof typeof measure),
  ratio: number,
): Promise<RowLength[]> {
  const lengths: RowLength[] = [];
  for await (const row of context.rows(option, split)) {
    lengths.push(measure[typeof kind === 'string' ? kind : kind(row)](row, ratio));
  }
  return lengths;
}

export const total = (lengths: readonly RowLength[], key: keyof RowLength) =>
  lengths.reduce((n, l) => n + l[key], 0);

/** Tokens of the longest row; 0 where there is none. */
export const longestIn = (lengths: readonly RowLength[]) =>
  lengths.reduce((most, { tokens }) => Math.max(most, tokens), 0);
