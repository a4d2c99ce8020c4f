/**
 * Whether llama.cpp gives a text the ids that the model was trained with: decided by texts, before the file is written. Of a
 * model with a chat template the texts are questions in it; what llama.cpp does otherwise elsewhere is told of.
 */
import { namesOf, renderChat, TemplateError } from '../tokenizers/chat-template.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizers/load-tokenizer.ts';
import { GgufError } from './gguf-error.ts';
import { tokenizerFilesOf } from './gguf-tokenizer.ts';
import type { Entries } from './metadata.ts';
import { ordinaryTexts, rareTexts } from './probe-texts.ts';
import type { VocabularyPolicy } from './vocabulary.ts';

export interface Faithful {
  readonly entries: Entries;
  /** Texts to which llama.cpp gives other ids. */
  readonly notes: readonly string[];
}

/**
 * The first candidate that gives every text the same ids, or else the one with the fewest that differ.
 * Errors: GgufError where even ordinary texts differ.
 */
export function faithful(policy: VocabularyPolicy, candidates: readonly Entries[]): Faithful {
  const { tokenizer } = policy;
  const special = policy.tokenizerFiles.json.added_tokens.slice(0, 50).map(({ content }) => content);
  const around = special.map((token) => `${token}Hello 你好${token}\n${token} 1`);
  const asked = ordinaryTexts.map((text) => asQuestion(policy, text));
  const others = [...rareTexts, ...textsAroundWords(tokenizer), ...around];
  // A model that is spoken to in conversations is asked nothing else.
  const [ordinary, rare] = asked.includes(undefined)
    ? [ordinaryTexts, others]
    : [asked as string[], [...ordinaryTexts, ...others]];
  const ids = new Map([...ordinary, ...rare].map((text) => [text, String(tokenizer.encode(text))]));
  let best: Tried | undefined;
  for (const entries of candidates) {
    const files = tokenizerFilesOf('tokenizer', new Map(entries));
    const there = loadTokenizer(files.json, files.config);
    const differs = (text: string) => String(there.encode(text)) !== ids.get(text);
    const tried = { entries, there, ordinary: ordinary.filter(differs), rare: rare.filter(differs) };
    if (best === undefined || weight(tried) < weight(best)) best = tried;
    if (weight(best) === 0) break;
  }
  const { there, rare: differing } = best!;
  const isSameAsked = (text: string): boolean => {
    const question = asQuestion(policy, text);
    return question === undefined || String(there.encode(question)) === String(tokenizer.encode(question));
  };
  return judged(best!, ordinary === asked && differing.every(isSameAsked));
}

interface Tried {
  readonly entries: Entries;
  /** The tokenizer that llama.cpp makes of them. */
  readonly there: Tokenizer;
  readonly ordinary: readonly string[];
  readonly rare: readonly string[];
}

/** The text as a user's turn; undefined where the template is none, or does not write it. */
function asQuestion({ tokenizer, template }: VocabularyPolicy, text: string): string | undefined {
  if (template === '') return undefined;
  const options = { ...namesOf(tokenizer), addGenerationPrompt: true };
  try {
    const rendered = renderChat(template, [{ role: 'user', content: text }], options);
    return rendered.includes(text.trim()) ? rendered : undefined;
  } catch (error) {
    if (error instanceof TemplateError) return undefined;
    throw error;
  }
}

/** Words of the vocabulary, all over it, with other scripts, quotes, digits and signs around them. */
function textsAroundWords(tokenizer: VocabularyPolicy['tokenizer']): string[] {
  const count = tokenizer.vocabularySize;
  const ids = Array.from({ length: Math.min(WORDS, count) }, (_, i) =>
    Math.floor((i * count) / Math.min(WORDS, count)),
  );
  const words = ids.filter((id) => !tokenizer.specialIds.has(id)).map((id) => tokenizer.decode([id]).trim());
  const whole = [...new Set(words)].filter((word) => word !== '' && !word.includes('\ufffd'));
  return whole.map(
    (word) =>
      `'${word}' (${word}) "${word}." 中${word}文，${word}。“${word}”1${word}2/${word}\n${word}'${word}`,
  );
}

const WORDS = 400;

function judged({ entries, ordinary, rare }: Tried, inConversations: boolean): Faithful {
  if (ordinary.length > 0)
    throw new GgufError(
      `llama.cpp would give other tokens than the model's tokenizer to ${quoted(ordinary)}`,
      ['export with format=hf: those who read tokenizer.json give the same tokens'],
    );
  return {
    entries,
    notes:
      rare.length === 0
        ? []
        : [
            `llama.cpp gives other tokens than the model's tokenizer to ${quoted(rare)}${inConversations ? ', which stand in no conversation' : ''}`,
          ],
  };
}

const weight = ({ ordinary, rare }: Tried): number => 1000 * ordinary.length + rare.length;

const SHOWN = 3;

function quoted(texts: readonly string[]): string {
  const shown = texts
    .slice(0, SHOWN)
    .map((text) => JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text));
  const more = texts.length > SHOWN ? ` and ${texts.length - SHOWN} more of the texts it was tried with` : '';
  return `${shown.join(', ')}${more}`;
}
