/** Models that know whole words: WordPiece (BERT) and WordLevel. */
import { type Component, countIn, stringIn, unusable } from './component.ts';
import type { TokenModel } from './token-model.ts';
import type { Vocabulary } from './vocabulary.ts';

/**
 * WordPiece: the longest token that begins a word, then the longest that goes on; a word that cannot be cut is unknown.
 * @throws TokenizerError
 */
export function wordPieceModel(component: Component, { ids }: Vocabulary): TokenModel['encode'] {
  const prefix = stringIn(component, 'continuing_subword_prefix', '##');
  const longest = countIn(component, 'max_input_chars_per_word', 100);
  const unknown = unknownId(component, ids, '[UNK]');
  return (piece) => {
    const characters = Array.from(piece);
    if (characters.length > longest) return [unknown];
    const made: number[] = [];
    for (let start = 0; start < characters.length; ) {
      let end = characters.length;
      let id: number | undefined;
      for (; end > start; end--) {
        id = ids.get((start === 0 ? '' : prefix) + characters.slice(start, end).join(''));
        if (id !== undefined) break;
      }
      if (id === undefined) return [unknown];
      made.push(id);
      start = end;
    }
    return made;
  };
}

/** WordLevel: a token for each word. @throws TokenizerError */
export function wordLevelModel(component: Component, { ids }: Vocabulary): TokenModel['encode'] {
  const unknown = unknownId(component, ids, '<unk>');
  return (piece) => [ids.get(piece) ?? unknown];
}

function unknownId(component: Component, ids: Vocabulary['ids'], otherwise: string): number {
  const token = stringIn(component, 'unk_token', otherwise);
  const id = ids.get(token);
  if (id !== undefined) return id;
  throw unusable(`${component.path}.unk_token`, `"${token}" is not in the vocabulary`);
}
