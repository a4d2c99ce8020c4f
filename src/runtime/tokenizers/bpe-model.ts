import { byteFallback } from './byte-fallback.ts';
import { type Component, flagIn, stringIn, unusable } from './component.ts';
import { MergeTable } from './merge-table.ts';
import type { TokenModel } from './token-model.ts';
import type { Vocabulary } from './vocabulary.ts';

/**
 * Byte-pair encoding: the characters of a piece, or their bytes where a character is unknown, merged in the order in which
 * the merges were learned.
 * @see https://arxiv.org/abs/1508.07909
 * @throws TokenizerError for a merge of tokens that are not in the vocabulary
 */
export function bpeModel(component: Component, { ids: known }: Vocabulary): TokenModel['encode'] {
  const prefix = stringIn(component, 'continuing_subword_prefix', '');
  const suffix = stringIn(component, 'end_of_word_suffix', '');
  const whole = flagIn(component, 'ignore_merges', false);
  const fuse = flagIn(component, 'fuse_unk', false);
  const bytes = flagIn(component, 'byte_fallback', false) ? byteFallback(known) : undefined;
  const unknown = unknownId(component, known);
  const merges = readMerges(component, known, prefix);

  function symbols(piece: string): number[] {
    const made: number[] = [];
    const characters = Array.from(piece);
    let afterUnknown = false;
    characters.forEach((character, i) => {
      const written = (i === 0 ? '' : prefix) + character + (i === characters.length - 1 ? suffix : '');
      const id = known.get(written);
      if (id !== undefined) made.push(id);
      else {
        const fallback = bytes?.(written);
        if (fallback !== undefined) made.push(...fallback);
        else {
          if (unknown !== undefined && !(fuse && afterUnknown)) made.push(unknown);
          afterUnknown = true;
          return;
        }
      }
      afterUnknown = false;
    });
    return made;
  }

  return (piece) => {
    const id = whole ? known.get(piece) : undefined;
    return id === undefined ? merges.merge(symbols(piece)) : [id];
  };
}

function unknownId(component: Component, known: Vocabulary['ids']): number | undefined {
  const token = stringIn(component, 'unk_token', '');
  const id = known.get(token);
  // The Rust library fails only when it meets an unknown character; a token that is named must exist.
  if (token !== '' && id === undefined)
    throw unusable(`${component.path}.unk_token`, `"${token}" is not in the vocabulary`);
  return token === '' ? undefined : id;
}

function readMerges(component: Component, known: Vocabulary['ids'], prefix: string): MergeTable {
  const { merges } = component.fields;
  const path = `${component.path}.merges`;
  if (!Array.isArray(merges)) throw unusable(path, 'is no list');
  const table = new MergeTable();
  merges.forEach((merge: unknown, n) => {
    const [left, right, ...rest] =
      typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? merge : [];
    if (typeof left !== 'string' || typeof right !== 'string' || rest.length > 0)
      throw unusable(`${path}[${n}]`, 'is no pair of tokens');
    const made = left + (right.startsWith(prefix) ? right.slice(prefix.length) : right);
    const [a, b, c] = [left, right, made].map((token) => {
      const id = known.get(token);
      if (id !== undefined) return id;
      throw unusable(`${path}[${n}]`, `needs ${JSON.stringify(token)}, which is not in the vocabulary`);
    });
    table.add(a!, b!, c!);
  });
  return table;
}
