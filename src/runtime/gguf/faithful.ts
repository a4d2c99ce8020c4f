/** Whether llama.cpp gives a text the ids that the model was trained with: decided by texts, before the file is written. */
import { loadTokenizer } from '../tokenizers/load-tokenizer.ts';
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
  const special = policy.tokenizerFiles.json.added_tokens.slice(0, 50).map(({ content }) => content);
  const wrapped = special.map((token) => `${token}Hello 你好${token}\n${token} 1`);
  let best: { entries: Entries; ordinary: string[]; rare: string[] } | undefined;
  for (const entries of candidates) {
    const files = tokenizerFilesOf('tokenizer', new Map(entries));
    const there = loadTokenizer(files.json, files.config);
    const differs = (text: string) => String(there.encode(text)) !== String(policy.tokenizer.encode(text));
    const found = {
      entries,
      ordinary: [...ordinaryTexts, ...wrapped].filter(differs),
      rare: rareTexts.filter(differs),
    };
    if (best === undefined || weight(found) < weight(best)) best = found;
    if (weight(best) === 0) break;
  }
  const { entries, ordinary, rare } = best!;
  if (ordinary.length > 0)
    throw new GgufError(
      `llama.cpp would give other tokens than the model's tokenizer to ${quoted(ordinary)}`,
      ['export with format=hf: those who read tokenizer.json give the same tokens'],
    );
  return {
    entries,
    notes:
      rare.length === 0 ? [] : [`llama.cpp gives other tokens than the model's tokenizer to ${quoted(rare)}`],
  };
}

const weight = ({ ordinary, rare }: { ordinary: readonly string[]; rare: readonly string[] }) =>
  1000 * ordinary.length + rare.length;

const SHOWN = 3;

function quoted(texts: readonly string[]): string {
  const shown = texts
    .slice(0, SHOWN)
    .map((text) => JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text));
  const more = texts.length > SHOWN ? ` and ${texts.length - SHOWN} more of the texts it was tried with` : '';
  return `${shown.join(', ')}${more}`;
}
