/** The command line as values: every flag is known, has a value where it needs one, and stands once unless it repeats. */
import { parseArgs } from 'node:util';
import { nearest } from '../compiler/diagnostics/nearest.ts';
import { type Command, type Flag, UsageError } from './command.ts';

interface Range {
  readonly least?: number;
  readonly most?: number;
}

export interface Arguments {
  readonly positionals: readonly string[];
  readonly has: (flag: string) => boolean;
  readonly value: (flag: string) => string | undefined;
  readonly values: (flag: string) => readonly string[];
  /** A number; other text is a usage error, and so is one outside the range. */
  readonly number: (flag: string, range?: Range) => number | undefined;
  /** The same for a whole number. */
  readonly integer: (flag: string, range?: Range) => number | undefined;
}

export function parseArguments(command: Command, words: readonly string[]): Arguments {
  const options = Object.fromEntries(
    command.flags.map((flag) => [
      flag.name,
      {
        type: flag.value === undefined ? ('boolean' as const) : ('string' as const),
        multiple: true,
        ...(flag.short === undefined ? {} : { short: flag.short }),
      },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...words],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const flag = command.flags.find(({ name }) => name === token.name);
    if (flag === undefined) throw unknownFlag(command, token.rawName);
    const value = checkedValue(flag, token.rawName, token.value, token.inlineValue === true);
    const earlier = given.get(flag.name);
    if (earlier !== undefined && flag.value !== undefined && flag.repeatable !== true) {
      throw new UsageError(`\`${token.rawName}\` is given twice`);
    }
    given.set(flag.name, [...(earlier ?? []), value]);
  }
  checkCount(command, positionals);
  const value = (flag: string) => given.get(flag)?.[0];
  return {
    positionals,
    has: (flag) => given.has(flag),
    value,
    values: (flag) => given.get(flag) ?? [],
    number: (flag, range) => numberOf(flag, value(flag), range),
    integer: (flag, range) => {
      const number = numberOf(flag, value(flag), range);
      if (number === undefined || Number.isSafeInteger(number)) return number;
      throw new UsageError(`\`--${flag}\` needs a whole number, not \`${value(flag)}\``);
    },
  };
}

function checkedValue(flag: Flag, written: string, value: string | undefined, inline: boolean): string {
  if (flag.value === undefined) {
    if (value !== undefined) throw new UsageError(`\`${written}\` takes no value`);
    return '';
  }
  if (value === undefined || (!inline && /^--?[a-z]/i.test(value))) {
    throw new UsageError(`\`${written}\` needs a value`, `write ${written} ${flag.value}`);
  }
  return value;
}

function unknownFlag(command: Command, written: string): UsageError {
  const meant = nearest(
    written.replace(/^-+/, ''),
    command.flags.map(({ name }) => name),
  );
  return new UsageError(
    `\`ftc ${command.name}\` has no flag \`${written}\``,
    meant === undefined || !written.startsWith('--')
      ? `ftc ${command.name} --help lists its flags`
      : `did you mean \`--${meant}\`?`,
  );
}

function checkCount(command: Command, positionals: readonly string[]): void {
  const { least, most } = command.takes;
  if (positionals.length >= least && positionals.length <= most) return;
  const surplus = positionals[most];
  throw new UsageError(
    positionals.length < least
      ? `\`ftc ${command.name}\` needs ${command.usage}`
      : `\`ftc ${command.name}\` does not take \`${surplus}\``,
    `ftc ${command.name} ${command.usage}`.trim(),
  );
}

function numberOf(flag: string, text: string | undefined, range: Range = {}): number | undefined {
  if (text === undefined) return undefined;
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(number)) throw new UsageError(`\`--${flag}\` needs a number, not \`${text}\``);
  if (range.least !== undefined && number < range.least) {
    throw new UsageError(`\`--${flag}\` must be at least ${range.least}, not ${text}`);
  }
  if (range.most !== undefined && number > range.most) {
    throw new UsageError(`\`--${flag}\` must be at most ${range.most}, not ${text}`);
  }
  return number;
}
