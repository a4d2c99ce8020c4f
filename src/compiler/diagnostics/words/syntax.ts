/** Words of the problems that lexing and parsing find (FTP0nnn, FTP1nnn). */
import { didYouMean, excerpt, plural, readableBytes, type Words } from './words.ts';

export const syntaxWords = {
  'not-text': (data: { readonly why: 'not UTF-8' | 'UTF-16' | 'control characters' }): Words => ({
    message:
      data.why === 'control characters'
        ? 'this is not a text file'
        : `this is not a text file in UTF-8${data.why === 'UTF-16' ? ', but in UTF-16' : ''}`,
    label: data.why === 'control characters' ? 'a character that no text holds' : 'not UTF-8',
    help: [
      data.why === 'UTF-16'
        ? 'save it as UTF-8'
        : 'a pipeline is UTF-8 text; name the pipeline file itself, not a model or a data file',
    ],
  }),
  'bad-character': (data: { readonly character: string; readonly twin?: string | undefined }): Words => ({
    message: `${naming(data.character)} is not part of the language`,
    label: 'not expected here',
    ...(data.twin === undefined ? {} : didYouMean(data.twin)),
  }),
  'unclosed-string': (data: { readonly quote: string }): Words => ({
    message: `this text has no closing ${data.quote}`,
    label: 'opened here',
    help: [
      data.quote === '"""'
        ? 'put `"""` behind the last line of the text'
        : `put ${data.quote} at its end; a text of several lines stands between \`"""\` and \`"""\``,
    ],
  }),
  'bad-escape': (data: { readonly escape: string }): Words => ({
    message: `\`${data.escape}\` means nothing in a text`,
    label: 'unknown escape',
    notes: ['the escapes are \\n \\t \\r \\" \\\\ \\$ and \\u{…} with a code point in hexadecimal'],
    help: ["write `\\\\` for a backslash, or use '…', which knows no escapes"],
  }),
  'mixed-script': (data: {
    readonly name: string;
    readonly letters: readonly string[];
    readonly latin: string;
  }): Words => ({
    message: `\`${data.name}\` mixes Latin letters with look-alikes of another alphabet`,
    label: `${data.letters.map(naming).join(', ')}`,
    help: [`if Latin letters were meant, write \`${data.latin}\``],
  }),
  'file-too-large': (data: {
    readonly length: number;
    readonly most: number;
    readonly of: 'bytes' | 'words';
  }): Words => ({
    message:
      data.of === 'bytes'
        ? `the file has ${readableBytes(data.length)} of text; a pipeline has at most ${readableBytes(data.most)}`
        : `the file has ${data.length.toLocaleString('en-US')} words and signs; a pipeline has at most ${data.most.toLocaleString('en-US')}`,
    help: [
      'is this a data file? name it in a source, such as `text("notes.txt")`, and compile the pipeline file',
    ],
  }),
  'unreadable-file': (data: { readonly path: string; readonly why: string }): Words => ({
    message: `cannot read \`${data.path}\`: ${data.why}`,
    help: ['check the path; it is relative to the directory that ftc was started in'],
  }),

  'empty-file': (data: { readonly path: string }): Words => ({
    message: `\`${data.path}\` holds no pipeline: it is empty`,
    help: ['write one, such as `pretrain → sft(lora r=8 targets=q,v) → rm → ppo`, or start with `ftc init`'],
  }),
  unexpected: (data: {
    readonly found: string;
    readonly expected: string;
    readonly help?: string | undefined;
  }): Words => ({
    message: `expected ${data.expected}, found ${found(data.found)}`,
    label: `expected ${data.expected}`,
    ...(data.help === undefined ? {} : { help: [data.help] }),
  }),
  'unclosed-bracket': (data: {
    readonly open: string;
    readonly close: string;
    readonly found: string;
  }): Words => ({
    message: `\`${data.open}\` is never closed`,
    label: 'opened here',
    help: [
      data.found === ''
        ? `put \`${data.close}\` where its contents end`
        : `put \`${data.close}\` before ${found(data.found)}`,
    ],
  }),
  'missing-value': (data: { readonly key: string }): Words => ({
    message: `\`${data.key}\` has no value`,
    label: 'nothing follows `=`',
    help: [`write \`${data.key}=value\``],
  }),
  'missing-arrow': (data: { readonly before: string; readonly after: string }): Words => ({
    message: `no arrow between \`${data.before}\` and \`${data.after}\``,
    label: 'a second pipeline without a name starts here',
    notes: ['a file has at most one pipeline without a name'],
    help: [`write \`→\` before \`${data.after}\`, or name this one: \`pipeline name = ${data.after} …\``],
  }),
  'same-line': (data: { readonly found: string }): Words => ({
    message: `an item starts on a new line, but ${found(data.found)} follows another one`,
    label: 'start a new line here',
  }),
  'too-deep': (data: { readonly most: number }): Words => ({
    message: `brackets stand more than ${data.most} deep in each other`,
    label: 'too deep',
    help: ['give the inner parts names with `let`, `data` or `stage`'],
  }),
  'too-many-errors': (data: { readonly shown: number; readonly more: number }): Words => ({
    message: `stopped after ${plural(data.shown, 'error')}${data.more > 0 ? `; at least ${data.more} more` : ''}`,
    label: 'and so on',
    help: ['mend the first ones and check again; is this a pipeline file at all?'],
  }),
};

/** `→`, or `U+00A7 §` where the character alone would say little. */
function naming(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  const code = `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
  if (point < 0x20 || (point >= 0x7f && point < 0xa0) || (point >= 0xd800 && point <= 0xdfff)) return code;
  return point < 0x7f ? `\`${character}\`` : `\`${character}\` (${code})`;
}

function found(image: string): string {
  return image === '' ? 'the end of the file' : `\`${excerpt(image)}\``;
}
