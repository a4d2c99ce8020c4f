/** The command that goes on with a run: what was typed, without what only concerned its looks. */
import type { Arguments } from './arguments.ts';

/** A stage that `--from` forced to run again is unfinished now: the next run finds that by itself. */
const kept = ['pipeline', 'profile', 'set', 'device', 'store', 'only', 'until'] as const;

export function resumeCommand(given: Arguments): string {
  const flags = kept.flatMap((flag) => given.values(flag).flatMap((value) => [`--${flag}`, quoted(value)]));
  return ['ftc run', ...given.positionals.map(quoted), ...flags].join(' ');
}

/** ` --store DIR` where other commands would not find the store by themselves. */
export function storeFlag(store: string): string {
  return store === '.ftc' ? '' : ` --store ${quoted(store)}`;
}

/** As a POSIX shell reads it back. */
function quoted(word: string): string {
  return /^[\p{L}\p{N}_./:=,@%+-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
