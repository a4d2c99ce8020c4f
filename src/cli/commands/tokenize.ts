/** `ftc tokenize`: the ids of texts and conversations, as JSON lines or as a table. */
import { displayWidth } from '../../compiler/source/width.ts';
import { explainFailure } from '../../runtime/run/failures.ts';
import { type OpenedTokenizer, openTokenizer } from '../../runtime/run/open-tokenizer.ts';
import { type Tokenized, tokenizeChat, tokenizeLine, tokenizeText } from '../../runtime/run/tokenize.ts';
import type { Tokenizer } from '../../runtime/tokenizers/load-tokenizer.ts';
import { streamDecoder } from '../../runtime/tokenizers/stream-decoder.ts';
import type { Arguments } from '../arguments.ts';
import { type RunCommand, UsageError } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { padDisplay, truncateDisplay } from '../fit-text.ts';
import { type InputLine, inputLines } from '../input-lines.ts';
import type { Output } from '../output.ts';
import { storeOf } from '../plan-file.ts';
import { problemLines } from '../problem-lines.ts';

type Problem = NonNullable<ReturnType<typeof explainFailure>['diagnostic']>;

export const run: RunCommand = async (given, output) => {
  const opened = await openTokenizer(given.positionals[0]!, storeOf(undefined, given.value('store')));
  const show = (made: Tokenized) => {
    if (given.has('json')) output.line(JSON.stringify({ ids: Array.from(made.ids), text: made.text }));
    else for (const line of table(opened.tokenizer, made.ids, output)) output.line(line);
  };
  const written = ofArguments(opened, given);
  if (written !== undefined) {
    show(written);
    return exitCodes.ok;
  }
  return ofLines(opened, given, output, show);
};

/** What `--text` or `--chat` gives. */
function ofArguments(opened: OpenedTokenizer, given: Arguments): Tokenized | undefined {
  const [text, chat] = [given.value('text'), given.value('chat')];
  const file = given.positionals[1];
  if ([text, chat, file].filter((one) => one !== undefined).length > 1)
    throw new UsageError('`--text`, `--chat` and FILE are each something to read; give one of them');
  if (chat !== undefined) return tokenizeChat(opened, [{ role: 'user', content: chat }], true);
  return text === undefined ? undefined : tokenizeText(opened, text);
}

async function ofLines(
  opened: OpenedTokenizer,
  given: Arguments,
  output: Output,
  show: (made: Tokenized) => void,
): Promise<number> {
  const path = given.positionals[1] ?? '-';
  if (path === '-' && process.stdin.isTTY)
    output.error('one JSON object a line, such as {"text": "…"}; Ctrl-D ends');
  let exitCode: number = exitCodes.ok;
  for await (const lines of inputLines(path))
    for (const line of lines) {
      const made = read(opened, line, path === '-' ? 'stdin' : path);
      if ('ids' in made) show(made);
      else {
        exitCode = exitCodes.failed;
        output.error(problemLines(made, output.errorStyle).join('\n'));
        const { code, message } = made;
        if (given.has('json')) output.line(JSON.stringify({ line: line.number, error: { code, message } }));
      }
    }
  return exitCode;
}

/** A line that cannot be used is told of and left out; what is wrong with the model or with ftc ends the command. */
function read(opened: OpenedTokenizer, line: InputLine, file: string): Tokenized | Problem {
  try {
    return tokenizeLine(opened, line.text, { file, line: line.number });
  } catch (error) {
    const { diagnostic } = explainFailure(error, undefined);
    if (diagnostic?.line === undefined) throw error;
    return diagnostic;
  }
}

const MAX_TOKEN_COLUMNS = 30;

/** A line for each token: its id, how the vocabulary writes it, and the text that it completes. */
function table(
  tokenizer: Tokenizer,
  ids: Int32Array,
  { style, columns }: Pick<Output, 'style' | 'columns'>,
): string[] {
  const stream = streamDecoder(tokenizer);
  const rows = Array.from(ids, (id, i) => ({
    id: String(id),
    token: truncateDisplay(tokenizer.tokenOf(id) ?? '', MAX_TOKEN_COLUMNS),
    text: JSON.stringify(stream.push(id) + (i === ids.length - 1 ? stream.end() : '')),
    special: tokenizer.specialIds.has(id),
  }));
  const idWidth = Math.max(2, ...rows.map(({ id }) => id.length));
  const tokenWidth = Math.max(5, ...rows.map(({ token }) => displayWidth(token)));
  const textWidth = Math.max(10, columns - idWidth - tokenWidth - 4);
  const line = (id: string, token: string, text: string) =>
    `${padDisplay(id, idWidth, 'right')}  ${padDisplay(token, tokenWidth)}  ${text}`.trimEnd();
  return [
    style.bold(line('id', 'token', 'text')),
    ...rows.map(({ id, token, text, special }) => {
      const shown = line(id, token, truncateDisplay(text, textWidth));
      return special ? style.cyan(shown) : shown;
    }),
    style.dim(`${rows.length} ${rows.length === 1 ? 'token' : 'tokens'}`),
  ];
}
