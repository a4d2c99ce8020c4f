/** Pages of FTP0nnn and FTP1nnn. */
import { page } from './page.ts';

const quickstart = 'pretrain → sft(lora r=8 targets=q,v) → rm → ppo';

export const syntaxPages = {
  'not-text': page(
    `The file holds bytes that no text holds, so it is not a pipeline: perhaps a model, an archive or a data file was
    named by mistake. A pipeline is UTF-8 text. Editors call other encodings by names such as UTF-16 or GBK; save the
    file as UTF-8.`,
    { text: 'pretrain\\u0000\\u0001 → sft', whole: () => 'pretrain\u0000\u0001 → sft' },
    'pretrain → sft',
  ),
  'bad-character': page(
    `A character that the language does not use stands outside of quotes. Often it is a curly quote or an arrow that a word
    processor put in place of the plain one; then the message names the character that was meant, and
    \`ftc check --fix\` writes it. The full-width signs （ ） ， ； ： ＝ are understood and need no mending.`,
    'pretrain(tokens=2M) | sft',
    'pretrain(tokens=2M) → sft',
  ),
  'unclosed-string': page(
    `A text in quotes ends on its own line; this one has no closing quote. Texts of several lines, such as chat templates,
    stand between \`"""\` and \`"""\`.`,
    'data notes = text("notes.txt)\npretrain(data=notes)',
    'data notes = text("notes.txt")\npretrain(data=notes)',
  ),
  'bad-escape': page(
    `Between double quotes a backslash begins an escape: \\n \\t \\r \\" \\\\ \\$ or \\u{1F600}. Another letter behind it
    means nothing. Between single quotes every character stands for itself.`,
    'data notes = text("notes\\main.txt")\npretrain(data=notes)',
    "data notes = text('notes\\main.txt')\npretrain(data=notes)",
  ),
  'mixed-script': page(
    `A name mixes Latin letters with letters of another alphabet that look the same, such as a Cyrillic а. Two names that
    look alike and differ are hard to find, so ftc warns. Names in one script, and Chinese names with Latin letters, are
    fine.`,
    'data nоtes = text("notes.txt")\npretrain(data=nоtes)',
    'data notes = text("notes.txt")\npretrain(data=notes)',
  ),
  'file-too-large': page(
    `A pipeline is written by hand and has at most a million characters and 200,000 words. A larger file is almost
    certainly data that was named in place of the pipeline.`,
    { text: '# … more than 1 MB …', whole: () => '# a long line of data\n'.repeat(50_000) },
    'pretrain(data=text("large.txt"))',
  ),
  'unreadable-file': page(
    `The pipeline file does not exist, is a directory, or may not be read. The path is relative to the directory in which
    the command was started.`,
    quickstart,
    quickstart,
  ),
  'empty-file': page(
    `The file has no item: nothing, or only comments. The shortest pipeline is one line.`,
    '# to do',
    quickstart,
  ),
  unexpected: page(
    `The sentence breaks off: at this place something else has to follow. The message names what. The rest of the file is
    checked all the same, so mend the first message first.`,
    'pretrain → → sft',
    'pretrain → sft',
  ),
  'unclosed-bracket': page(
    `A bracket is opened and never closed; the second place in the message is where it should have been closed at the
    latest.`,
    'pretrain → sft(lora r=8 → rm',
    'pretrain → sft(lora r=8) → rm',
  ),
  'missing-value': page(
    `Nothing stands behind \`=\`. Either the value was forgotten, or the key is not needed: without it the default holds,
    and \`ftc plan\` prints it.`,
    'pretrain → sft(lr= epochs=3)',
    'pretrain → sft(lr=2e-4 epochs=3)',
  ),
  'missing-arrow': page(
    `Steps are joined with \`→\` (or \`->\`). A file has at most one pipeline without a name, so a second chain is most
    likely the rest of the first one, without its arrow. Pipelines with names may be as many as you like.`,
    'pretrain → sft\nrm → ppo',
    'pretrain → sft\n→ rm → ppo',
  ),
  'same-line': page(
    `Every item (\`let\`, \`data\`, \`pipeline\` …) starts on a line of its own, so that a forgotten bracket or arrow is
    found where it is missing.`,
    'let rank = 8 let rate = 2e-4\npretrain → sft(lora r=$rank; lr=$rate)',
    'let rank = 8\nlet rate = 2e-4\npretrain → sft(lora r=$rank; lr=$rate)',
  ),
  'too-deep': page(
    `Calls may stand in calls, but not hundreds deep. Give the inner parts names with \`let\`, \`data\` or \`stage\`.`,
    {
      text: 'sft(data=mix(mix(mix(… more than 200 deep …))))',
      whole: () => `sft(data=${'mix('.repeat(300)}x${')'.repeat(301)}`,
    },
    'data inner = mix(text("a.txt") text("b.txt"))\ndata outer = mix(inner text("c.txt"))\npretrain(data=outer)',
  ),
  'too-many-errors': page(
    `After a hundred mistakes nothing more is reported. Mend the first ones; often one of them is the cause of many
    others. A file with so many may not be a pipeline at all.`,
    { text: 'sft(lr=)\n… and so on, in more than 100 lines …', whole: () => 'sft(lr=)\n'.repeat(300) },
    'pretrain → sft(lr=2e-4)',
  ),
};
