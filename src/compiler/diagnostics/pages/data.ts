/** Pages of FTP5012 and FTP5013: files and columns of data. The examples check; they fail later. */
import { page } from './page.ts';

export const dataPages = {
  'broken-data-file': page(
    `A data file is there and cannot be read: compressed data that end too early or are damaged, a parquet file without its
    footer, text in UTF-16, a JSON file that is cut off. The message says up to which row it could be read. What is
    compressed is seen from the bytes of a file, not from its name.`,
    'data rows = jsonl("cut-off.jsonl.gz")\npretrain → sft(data=rows)',
    'data rows = jsonl("rows.jsonl.gz")\npretrain → sft(data=rows)',
  ),
  'ambiguous-columns': page(
    `Common shapes of data sets are recognised by their columns: \`question\` and \`answer\`, \`instruction\` and \`output\`, and
    others. These rows have several columns that could be the prompt, or the completion, and a guess could train on the wrong
    one. \`columns(…)\` says which is meant.`,
    'data rows = jsonl("question-and-query.jsonl")\npretrain → sft(data=rows)',
    'data rows = jsonl("question-and-query.jsonl") → columns(prompt=question completion=answer)\npretrain → sft(data=rows)',
  ),
};
