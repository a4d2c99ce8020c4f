/** The `model` of tokenizer.json: what turns a piece of text into ids. */
import { bpeModel } from './bpe-model.ts';
import { type Component, componentOf, unknownKind } from './component.ts';
import { unigramModel } from './unigram-model.ts';
import { readVocabulary, type Vocabulary } from './vocabulary.ts';
import { wordLevelModel, wordPieceModel } from './word-models.ts';

export interface TokenModel {
  readonly vocabulary: Vocabulary;
  /** Ids of one piece as the pre-tokenizer spells it. */
  encode(piece: string): readonly number[];
}

const kinds: Readonly<
  Record<string, (component: Component, vocabulary: Vocabulary) => TokenModel['encode']>
> = { BPE: bpeModel, Unigram: unigramModel, WordPiece: wordPieceModel, WordLevel: wordLevelModel };

/** @throws TokenizerError */
export function compileModel(value: unknown): TokenModel {
  const component = componentOf(withType(value), 'model');
  const kind = Object.hasOwn(kinds, component.type) ? kinds[component.type] : undefined;
  if (kind === undefined) throw unknownKind(component);
  const vocabulary = readVocabulary(component);
  return { vocabulary, encode: kind(component, vocabulary) };
}

/** Old files name no type: merges make it BPE, a list of pairs Unigram. */
function withType(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || 'type' in value) return value;
  const type =
    'merges' in value ? 'BPE' : Array.isArray((value as { vocab?: unknown }).vocab) ? 'Unigram' : 'WordPiece';
  return { ...value, type };
}
