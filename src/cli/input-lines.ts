/** Lines of standard input or of a file, as they come. */
import { createReadStream } from 'node:fs';
import { CommandError } from './command.ts';
import { exitCodes } from './exit-codes.ts';

export interface InputLine {
  readonly text: string;
  /** 1-based. */
  readonly number: number;
}

/**
 * The complete lines of every piece that arrives, empty ones left out: one at a time from somebody who types or waits for an
 * answer, many from a file.
 * @param path `-` is standard input
 * @throws CommandError where it is not UTF-8; the system's error where a file cannot be read
 */
export async function* inputLines(path: string): AsyncGenerator<readonly InputLine[]> {
  const input = path === '-' ? process.stdin : createReadStream(path);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let number = 0;
  const cut = (text: string, atEnd: boolean): readonly InputLine[] => {
    const lines = (rest + text).split('\n');
    rest = atEnd ? '' : lines.pop()!;
    return lines
      .map((line) => ({ text: line.replace(/\r$/, ''), number: ++number }))
      .filter((line) => line.text.trim() !== '');
  };
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      const where = path === '-' ? 'standard input' : path;
      throw new CommandError(`${where} is not UTF-8 text (line ${number + 1} or after)`, exitCodes.failed);
    }
  };
  for await (const bytes of input) {
    const lines = cut(decode(bytes as Uint8Array), false);
    if (lines.length > 0) yield lines;
  }
  yield cut(decode(), true);
}
