/** How many tokens a byte of text will make, before the tokenizer exists: one is trained on a sample. */
import type { Row } from '../data/row.ts';
import { textOf } from '../data/shapes.ts';
import { loadTokenizer } from '../tokenizers/load-tokenizer.ts';
import { trainTokenizer } from '../tokenizers/train-tokenizer.ts';

/** Enough for a ratio within some ten percent, in about a tenth of a second. */
const SAMPLE_BYTES = 96_000;

/** Trains on three quarters of the sample and measures on the rest. */
export async function sampleTokensPerByte(rows: AsyncIterable<Row>, vocabularySize: number): Promise<number> {
  const texts: string[] = [];
  let bytes = 0;
  for await (const row of rows) {
    const text = textOf(row).slice(0, SAMPLE_BYTES);
    texts.push(text);
    bytes += Buffer.byteLength(text);
    if (bytes >= SAMPLE_BYTES) break;
  }
  const all = texts.join('\n');
  const cut = Math.floor(all.length * 0.75);
  const held = all.slice(cut);
  if (held.length === 0) return 0.5;
  const files = await trainTokenizer([all.slice(0, cut)], { vocabularySize });
  const tokenizer = loadTokenizer(files.json, files.config);
  return tokenizer.encode(held).length / Buffer.byteLength(held);
}
