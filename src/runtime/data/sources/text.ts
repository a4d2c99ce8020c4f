import { readLines } from '../files/read-lines.ts';
import type { Row } from '../row.ts';
import { fileSource, pathOption } from '../source.ts';

/** A block ends at the first blank line after so many UTF-16 units, … */
const BLOCK = 512;
/** … at the first line's end after so many, where there is no blank line, … */
const LONG_BLOCK = 2048;
/** … and within a line that is longer than this. */
const LONGEST_BLOCK = 8192;

export const text = fileSource(
  {
    name: 'text',
    summary: 'plain text files; a file is one document',
    details: `A file is one document, a row with \`text\`. For the split into \`train\` and \`test\` a document is cut into blocks: a block
ends at the first blank line after 512 characters (at a line's end after 2,048 where no line is blank, within a line
after 8,192), so that one big file, or a few, have a held-out part that is spread over the whole. The side of a block
depends on its own text: adding files, or text at the end of one, moves no other block. Blocks of one side that stand
next to each other are one piece of text again; where a block of the other side is missing, the document ends and
another begins. With \`unit=file\` whole files are held out instead.`,
    example: 'data notes = text("data/notes/*.txt")',
    options: {
      path: pathOption,
      unit: {
        description: 'what the split keeps whole: a block of some paragraphs, or the file',
        type: 'string',
        enum: ['block', 'file'],
        default: 'block',
      },
    },
    required: ['path'],
  },
  ['txt', 'text', 'md'],
  (path, { unit }) => (unit === 'file' ? wholeFile(path) : textBlocks(path)),
);

async function* wholeFile(path: string): AsyncGenerator<Row> {
  const parts: string[] = [];
  for await (const line of readLines(path)) parts.push(line.text, line.end);
  const whole = parts.join('');
  if (whole.trim() !== '') yield { value: { text: whole }, file: path, line: 1 };
}

/** The file's text in blocks which, joined, are the file; what is blank goes with the block before it. */
export async function* textBlocks(path: string): AsyncGenerator<Row> {
  // The last block that is complete: it waits for blank lines that may follow.
  let waiting: Row | undefined;
  let block = '';
  let line = 1;
  function* finish(next: number): Generator<Row> {
    if (block.trim() !== '') {
      if (waiting !== undefined) yield waiting;
      waiting = {
        value: { text: block },
        file: path,
        line,
        ...(waiting === undefined ? {} : { continues: true }),
      };
    } else if (waiting !== undefined) {
      waiting = { ...waiting, value: { text: `${waiting.value.text}${block}` } };
    } else return;
    block = '';
    line = next;
  }
  for await (const { text: content, end, number } of readLines(path)) {
    let rest = content;
    while (block.length + rest.length > LONGEST_BLOCK) {
      const cut = wholeCharacters(rest, Math.max(1, LONGEST_BLOCK - block.length));
      block += rest.slice(0, cut);
      rest = rest.slice(cut);
      yield* finish(number);
    }
    block += rest + end;
    const blank = content.trim() === '';
    if (block.length >= (blank ? BLOCK : LONG_BLOCK)) yield* finish(number + 1);
  }
  yield* finish(0);
  if (waiting !== undefined) yield waiting;
}

function wholeCharacters(content: string, units: number): number {
  const last = content.charCodeAt(units - 1);
  return last >= 0xd800 && last < 0xdc00 ? units + 1 : units;
}
