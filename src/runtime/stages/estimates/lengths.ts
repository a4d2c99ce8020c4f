/** Lengths of rows in tokens: counted where there is a tokenizer, else bytes of text times the tokens a byte makes. */
import { hash } from 'node:crypto';
import type { Row } from '../../data/row.ts';
import { preferenceOf, promptCompletionOf, promptOf, type RowKind, textOf } from '../../data/shapes.ts';
import { defaultTemplate, renderChat, specialTokensOf } from '../../tokenizers/chat-template.ts';
import { encodeOpening } from '../../tokenizers/encode-answered.ts';
import type { EstimateContext, PlannedModel } from '../stage.ts';
import { RowLengths } from './row-lengths.ts';

interface RowLength {
  readonly tokens: number;
  readonly learned: number;
}

/** What the chat template adds: to a conversation, and to each of its turns. */
interface ChatTokens {
  readonly once: number;
  readonly turn: number;
}

/** What stands around rows: of a conversation, and before a text that is none. */
interface Surroundings {
  readonly chat: ChatTokens;
  readonly opening: number;
}

const around = ({ once, turn }: ChatTokens, turns: number) => Math.ceil(once + turn * turns);

/** Measured on empty turns: special tokens are one each, other words as any text. Where a template refuses those: two a turn. */
export function chatTokens(template: string | undefined, ratio: number): ChatTokens {
  const specials = specialTokensOf(template ?? '');
  const tokensOf = (pairs: number) => {
    const turns = ['user', 'assistant'].map((role) => ({ role, content: '' }));
    let text = renderChat(template!, Array.from({ length: pairs }, () => turns).flat());
    let found = 0;
    for (const special of specials) {
      const parts = text.split(special);
      found += parts.length - 1;
      text = parts.join('');
    }
    return found + bytes(text) * ratio;
  };
  try {
    const [one, two] = [tokensOf(1), tokensOf(2)];
    return { once: Math.max(0, 2 * one - two), turn: (two - one) / 2 };
  } catch {
    return { once: 0, turn: 2 };
  }
}

const bytes = (text: string) => Buffer.byteLength(text);

/** Tokens of a text; not always a whole number. */
type Counter = (text: string) => number;

/** So much text is counted, in less than a tenth of a second; the rest makes as many tokens a byte. */
const COUNTED_BYTES = 64_000;

/** What tokenizers of the same vocabulary may still part over. */
const PROBE = `The quick brown fox, it's 12,345.67! naïve façade über straße\n\tdef f(x): return x ** 2  # 今天天气很好。
患者头痛三天，体温38.5℃ なにか テスト 한국어 Привет, мир! مرحبا {"role": "user"} <|im_start|> 🙂\n\n`;

const contents = new WeakMap<object, string>();

/** Tokenizers of the same content make as many tokens of any text, near enough. */
function contentOf(tokenizer: NonNullable<PlannedModel['tokenizer']>): string {
  const known = contents.get(tokenizer);
  if (known !== undefined) return known;
  const vocabulary = Array.from({ length: tokenizer.vocabularySize }, (_, id) => tokenizer.tokenOf(id));
  const content = hash('sha256', JSON.stringify([vocabulary, [...tokenizer.encode(PROBE)]]));
  contents.set(tokenizer, content);
  return content;
}

function counterOf({ tokenizer, tokensPerByte }: PlannedModel): Counter {
  let [seen, tokens] = [0, 0];
  return (text) => {
    const size = bytes(text);
    if (tokenizer === undefined || seen + size > COUNTED_BYTES)
      return size * (seen > 0 ? tokens / seen : tokensPerByte);
    const count = tokenizer.encode(text).length;
    seen += size;
    tokens += count;
    return count;
  };
}
const textOfMessages = (messages: readonly { readonly content: string }[]) =>
  messages.map((m) => m.content).join('');

function answerLength(row: Row, count: Counter, { chat, opening }: Surroundings): RowLength {
  const example = promptCompletionOf(row);
  if (example.kind === 'text') {
    const learned = Math.ceil(count(example.completion)) + 1;
    return { tokens: opening + Math.ceil(count(example.prompt)) + learned, learned };
  }
  const answers = example.messages.filter((m) => m.role === 'assistant');
  return {
    tokens: Math.ceil(count(textOfMessages(example.messages))) + around(chat, example.messages.length),
    learned: Math.ceil(count(textOfMessages(answers))) + answers.length,
  };
}

function pairLength(row: Row, count: Counter, { chat, opening }: Surroundings): RowLength {
  const pair = preferenceOf(row);
  const text = (part: string | readonly { readonly content: string }[]) =>
    typeof part === 'string' ? part : textOfMessages(part);
  const longest = Math.max(count(text(pair.chosen)), count(text(pair.rejected)));
  const marks = pair.kind === 'text' ? opening + 1 : around(chat, pair.prompt.length + pair.chosen.length);
  return { tokens: Math.ceil(count(text(pair.prompt)) + longest) + marks, learned: 1 };
}

function promptLength(row: Row, count: Counter, { chat, opening }: Surroundings): RowLength {
  const prompt = promptOf(row);
  const text = prompt.kind === 'text' ? prompt.prompt : textOfMessages(prompt.prompt);
  const marks = prompt.kind === 'text' ? opening : around(chat, prompt.prompt.length + 1);
  return { tokens: Math.ceil(count(text)) + marks, learned: 0 };
}

const textLength = (row: Row, count: Counter, { opening }: Surroundings): RowLength => {
  const tokens = opening + Math.ceil(count(textOf(row))) + 1;
  return { tokens, learned: tokens };
};

const measure: {
  readonly [K in RowKind]: (row: Row, count: Counter, around: Surroundings) => RowLength;
} = {
  text: textLength,
  completion: answerLength,
  preference: pairLength,
  prompt: promptLength,
};

/** Lengths of all rows of one side of the data, read once for all that is planned with one model. */
export async function lengthsOf(
  context: EstimateContext,
  option: string,
  split: 'train' | 'test' | 'all',
  kind: RowKind | { readonly name: string; readonly of: (row: Row) => RowKind },
  model: PlannedModel,
): Promise<RowLengths> {
  const template = context.job.template ?? (model.template || defaultTemplate);
  const chat = chatTokens(template, model.tokensPerByte);
  const { tokenizer } = model;
  const opening = tokenizer ? encodeOpening(tokenizer, '').length : 0;
  const tokens = tokenizer ? contentOf(tokenizer) : model.tokensPerByte;
  const as = [typeof kind === 'string' ? kind : kind.name, chat, opening, tokens];
  return context.lengths(option, split, as, async () => {
    const lengths = new RowLengths();
    const count = counterOf(model);
    for await (const row of context.rows(option, split)) {
      const read = typeof kind === 'string' ? kind : kind.of(row);
      const { tokens, learned } = measure[read](row, count, { chat, opening });
      lengths.push(tokens, learned, read);
    }
    return lengths;
  });
}
