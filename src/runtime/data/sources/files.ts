import { brokenFile } from '../data-error.ts';
import { formatOf, formats } from '../formats.ts';
import { fileSource, pathOption } from '../source.ts';

const endings = Object.keys(formats);

export const files = fileSource(
  {
    name: 'files',
    summary: 'files of any format, each read as its ending says',
    details: `\`.txt\` as \`text\`, \`.jsonl\` and \`.ndjson\` as \`jsonl\`, \`.json\` as \`json\`, \`.csv\` as \`csv\`, \`.tsv\` as \`tsv\`, \`.parquet\` as
\`parquet\`, each packed as \`.gz\` or \`.zst\` too. A directory stands for all such files in it, at any depth.`,
    example: 'data everything = files("data/downloads")',
    options: { path: pathOption },
    required: ['path'],
  },
  endings,
  (path) => {
    const format = formatOf(path);
    if (format !== undefined) return format.read(path);
    const known = endings.map((ending) => `.${ending}`).join(' ');
    throw brokenFile(
      path,
      'its ending does not say what it holds',
      `name the source, such as \`jsonl("${path}")\`; known endings are ${known}`,
    );
  },
  (path) => formatOf(path)?.source ?? '',
);
