/** Documents as one stream of tokens. */
import type { Row } from '../../data/row.ts';
import { textOf } from '../../data/shapes.ts';
import { encodeOpening } from '../../tokenizers/encode-answered.ts';
import type { Tokenizer } from '../../tokenizers/load-tokenizer.ts';
import type { StageContext } from '../stage.ts';
import type { Tokens } from '../tokens.ts';

/**
 * What the tokenizer puts before a text before every document, an end token after it; none inside one that came in several
 * rows.
 */
export async function documentStream(
  context: Pick<StageContext, 'tokens'>,
  rows: AsyncIterable<Row>,
  tokenizer: Tokenizer,
): Promise<Tokens> {
  const stream = context.tokens(tokenizer.vocabularySize);
  const end = Int32Array.of(tokenizer.eos);
  for await (const row of rows) {
    if (stream.length > 0 && !row.continues) stream.append(end);
    const text = textOf(row);
    stream.append(
      row.continues ? tokenizer.encode(text, { continues: true }) : encodeOpening(tokenizer, text),
    );
  }
  if (stream.length > 0) stream.append(end);
  return stream;
}
