/** How many tokens a byte of text will make, before the tokenizer exists: one is trained on a sample. */
import type { Row } from '../data/row.ts';
import { textOf } from '../data/shapes.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizers/load-tokenizer.ts';
import { trainTokenizer } from '../tokenizers/train-tokenizer.ts';

/** Enough for a ratio within some ten percent, in about a tenth of a second. */
const SAMPLE_BYTES = 96_000;

/** Trains on three quarters of the sample and measures on the rest. */
export async function sampleTokensPerByte(rows: AsyncIterable<Row>, vocabularySize: number): Promise<number> {
  const all = await sampleOf(rows);
  const cut = Math.floor(all.length * 0.75);
  const files = await trainTokenizer([all.slice(0, cut)], { vocabularySize });
  return ratioOf(loadTokenizer(files.json, files.config), all.slice(cut));
}

/** The same with the tokenizer that is already there. */
export async function measureTokensPerByte(rows: AsyncIterable<Row>, tokenizer: Tokenizer): Promise<number> {
  return ratioOf(tokenizer, await sampleOf(rows));
}

async function sampleOf(rows: AsyncIterable<Row>): Promise<string> {
  const texts: string[] = [];
  let bytes = 0;
  for await (const row of rows) {
    const text = textOf(row).slice(0, SAMPLE_BYTES);
    texts.push(text);
    bytes += Buffer.byteLength(text);
    if (bytes >= SAMPLE_BYTES) break;
  }
  return texts.join('\n');
}

/** Of an empty text: a token for two bytes, which no tokenizer exceeds by much. */
const ratioOf = (tokenizer: Tokenizer, text: string): number =>
  text === '' ? 0.5 : tokenizer.encode(text).length / Buffer.byteLength(text);
