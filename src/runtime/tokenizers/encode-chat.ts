import { type Answer, answersIn, renderPrompt, renderWithAnswers } from './chat-spans.ts';
import type { Tokenizer } from './load-tokenizer.ts';
import { type ChatMessage, type RenderOptions, renderChat } from './render-chat.ts';

export interface EncodedChat {
  readonly ids: Int32Array;
  /** 1 where the token is learned: the assistant's answers and the token that ends each. */
  readonly supervised: Uint8Array;
}

export interface EncodeChatOptions {
  /** Index of the first message whose answer is learned (a completion of several turns after a prompt). */
  readonly from?: number;
}

/**
 * A conversation as tokens. Text before, in and after an answer is encoded apart, so that the tokens before an answer
 * are exactly those that `encodePrompt` gives when it is to be generated; between special tokens this changes nothing.
 * Where the template writes no special token after the last answer, the end-of-text token is put there.
 * @throws TemplateError
 */
export function encodeChat(
  tokenizer: Tokenizer,
  template: string,
  messages: readonly ChatMessage[],
  { from = 0 }: EncodeChatOptions = {},
): EncodedChat {
  const { text, answers } = renderWithAnswers(template, messages, namesOf(tokenizer));
  const skipped = messages.slice(0, from).filter(({ role }) => role === 'assistant').length;
  const writer = new Writer();
  let position = 0;
  answers.forEach(({ start, end }, i) => {
    writer.add(tokenizer.encode(text.slice(position, start)), 0);
    const ids = tokenizer.encode(text.slice(start, end));
    const ending = endOfAnswer(tokenizer, ids);
    const learned = i < skipped ? 0 : 1;
    writer.add(ids.subarray(0, ending ?? ids.length), learned);
    if (ending !== undefined) writer.add(ids.subarray(ending), 0);
    position = end;
    const isLast = i === answers.length - 1 && messages.at(-1)?.role === 'assistant';
    const rest = tokenizer.encode(text.slice(end));
    const endsLater = rest.some((id) => tokenizer.specialIds.has(id));
    if (isLast && ending === undefined && !endsLater) {
      writer.add(rest, 0);
      writer.add(Int32Array.of(tokenizer.eos), learned);
      position = text.length;
    }
  });
  writer.add(tokenizer.encode(text.slice(position)), 0);
  return writer.finish();
}

/** The tokens before the next answer: earlier turns and the generation prompt. @throws TemplateError */
export function encodePrompt(
  tokenizer: Tokenizer,
  template: string,
  messages: readonly ChatMessage[],
): Int32Array {
  const options = namesOf(tokenizer);
  const text = renderPrompt(template, messages, options);
  const writer = new Writer();
  let position = 0;
  for (const { start, end } of earlierAnswers(template, messages, options, text)) {
    writer.add(tokenizer.encode(text.slice(position, start)), 0);
    writer.add(tokenizer.encode(text.slice(start, end)), 0);
    position = end;
  }
  writer.add(tokenizer.encode(text.slice(position)), 0);
  return writer.finish().ids;
}

/** Tokens at which generation stops: the end of text, and where there is a chat template the end of a turn. */
export function stopTokensOf(tokenizer: Tokenizer, template: string): number[] {
  const ends = template === '' ? [] : [endOfTurn(tokenizer, template)];
  return [...new Set([tokenizer.eos, ...ends])];
}

/**
 * The token that ends a turn: the last special token that the template writes after an answer, else the end of text.
 * @throws TemplateError
 */
export function endOfTurn(tokenizer: Tokenizer, template: string): number {
  const question = { role: 'user', content: 'x' };
  const mark = '\uFDD0';
  const text = renderChat(template, [question, { role: 'assistant', content: mark }], namesOf(tokenizer));
  const after = tokenizer.encode(text.slice(text.indexOf(mark) + mark.length));
  return after.findLast((id) => tokenizer.specialIds.has(id)) ?? tokenizer.eos;
}

function earlierAnswers(
  template: string,
  messages: readonly ChatMessage[],
  options: RenderOptions,
  text: string,
): readonly Answer[] {
  if (!messages.some(({ role }) => role === 'assistant')) return [];
  const marked = renderWithAnswers(template, messages, options);
  return text.startsWith(marked.text) ? marked.answers : answersIn(template, messages, options, text);
}

/** Number of ids up to the special token that ends an answer, where only white space follows it. */
function endOfAnswer(tokenizer: Tokenizer, ids: Int32Array): number | undefined {
  const last = ids.findLastIndex((id) => tokenizer.specialIds.has(id));
  if (last < 0 || tokenizer.decode(ids.subarray(last + 1)).trim() !== '') return undefined;
  return last + 1;
}

/** What a template sees of a tokenizer. */
export function namesOf({ roles }: Tokenizer): RenderOptions {
  return { roles };
}

class Writer {
  private readonly ids: number[] = [];
  private readonly supervised: number[] = [];

  add(ids: Int32Array, supervised: number): void {
    for (const id of ids) {
      this.ids.push(id);
      this.supervised.push(supervised);
    }
  }

  finish(): EncodedChat {
    return { ids: Int32Array.from(this.ids), supervised: Uint8Array.from(this.supervised) };
  }
}
