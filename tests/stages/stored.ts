/** Sequences as stages keep them; with a `most` of bytes in memory that is small, in a file. */
import { join } from 'node:path';
import { TokenFile } from '../../src/runtime/run/token-file.ts';
import { type MarkedSequence, StoredSequences } from '../../src/runtime/stages/parts/stored-sequences.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

export const tokenFile = (limit: number, most?: number): TokenFile =>
  new TokenFile(join(temporaryDirectory(), 'work', 'tokens.ids'), limit, most);

export function stored(sequences: readonly MarkedSequence[], most?: number): StoredSequences {
  const made = new StoredSequences(tokenFile(2 ** 16, most));
  for (const one of sequences) made.add(one);
  return made;
}
