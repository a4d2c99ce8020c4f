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
 * A conversation as tokens: those of its whole text, but that none lies on both sides of the beginning or the end of an
 * answer, so that the tokens before an answer are exactly those that `encodePrompt` gives when it is to be generated.
 * The token that ends a turn is learned with its answer, also where the template's marks leave it out. Where the template
 * writes no special token after the last answer, the end-of-text token is put there.
 * @throws TemplateError
 */
export function encodeChat(
  tokenizer: Tokenizer,
  template: string,
  messages: readonly ChatMessage[],
  { from = 0 }: EncodeChatOptions = {},
): EncodedChat {
  const { text, answers, marked } = renderWithAnswers(template, messages, namesOf(tokenizer));
  const skipped = messages.slice(0, from).filter(({ role }) => role === 'assistant').length;
  const pieces = tokenizer.encodePieces(cutAt(text, answers));
  const isSpecial = (id: number) => tokenizer.specialIds.has(id);
  const writer = new Writer();
  writer.add(pieces[0]!, 0);
  answers.forEach((_, i) => {
    const [ids, rest] = [pieces[2 * i + 1]!, pieces[2 * i + 2]!];
    const learned = i < skipped ? 0 : 1;
    const ending = endOfAnswer(tokenizer, ids);
    const own = marked ? ids.length : (ending ?? ids.length);
    writer.add(ids.subarray(0, own), learned);
    writer.add(ids.subarray(own), 0);
    const next = ending === undefined ? nextEnd(tokenizer, template, rest) : 0;
    writer.add(rest.subarray(0, next), learned);
    writer.add(rest.subarray(next), 0);
    const isLast = i === answers.length - 1 && messages.at(-1)?.role === 'assistant';
    if (isLast && ending === undefined && !rest.some(isSpecial))
      writer.add(Int32Array.of(tokenizer.eos), learned);
  });
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
  const answers = earlierAnswers(template, messages, options, text);
  const writer = new Writer();
  for (const ids of tokenizer.encodePieces(cutAt(text, answers))) writer.add(ids, 0);
  return writer.finish().ids;
}

/** What stands before, in, between and after answers: one piece more than twice as many as there are answers. */
function cutAt(text: string, answers: readonly Answer[]): string[] {
  const places = [0, ...answers.flatMap(({ start, end }) => [start, end])];
  return places.map((place, i) => text.slice(place, places[i + 1]));
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
  return endsOfTurn(tokenizer, template).at(-1) ?? tokenizer.eos;
}

/** The special tokens that the template writes after an answer, in order. @throws TemplateError */
function endsOfTurn(tokenizer: Tokenizer, template: string): number[] {
  const question = { role: 'user', content: 'x' };
  const mark = '\uFDD0';
  const text = renderChat(template, [question, { role: 'assistant', content: mark }], namesOf(tokenizer));
  const after = tokenizer.encode(text.slice(text.indexOf(mark) + mark.length), { continues: true });
  return [...after].filter((id) => tokenizer.specialIds.has(id));
}

/** Number of ids up to the token that ends the turn before them, where only white space comes first; else 0. */
function nextEnd(tokenizer: Tokenizer, template: string, ids: Int32Array): number {
  const at = ids.findIndex((id) => tokenizer.specialIds.has(id));
  if (at < 0 || tokenizer.decode(ids.subarray(0, at)).trim() !== '') return 0;
  return endsOfTurn(tokenizer, template).includes(ids[at]!) ? at + 1 : 0;
}

function earlierAnswers(
  template: string,
  messages: readonly ChatMessage[],
  options: RenderOptions,
  text: string,
): readonly Answer[] {
  if (!messages.some(({ role }) => role === 'assistant')) return [];
  const whole = renderWithAnswers(template, messages, options);
  if (text.startsWith(whole.text)) return whole.answers;
  return answersIn(template, messages, { ...options, addGenerationPrompt: true }, text);
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
