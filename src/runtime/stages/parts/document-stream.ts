/** Documents as one stream of tokens. */
import type { Row } from '../../data/row.ts';
import { textOf } from '../../data/shapes.ts';
import type { Tokenizer } from '../../tokenizers/load-tokenizer.ts';
import type { StageContext } from '../stage.ts';
import type { Tokens } from '../tokens.ts';

/** An end token after every document, none inside one that came in several rows. */
export async function documentStream(
  context: Pick<StageContext, 'tokens'>,
  rows: AsyncIterable<Row>,
  tokenizer: Tokenizer,
): Promise<Tokens> {
  const stream = context.tokens(tokenizer.vocabularySize);
  const end = Int32Array.of(tokenizer.eos);
  for await (const row of rows) {
    if (stream.length > 0 && !row.continues) stream.append(end);
    stream.append(tokenizer.encode(textOf(row)));
  }
  if (stream.length > 0) stream.append(end);
  return stream;
}
