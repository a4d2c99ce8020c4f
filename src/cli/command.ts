/** What a command is: its name, its flags, its help, and where its code is loaded from when it is called. */
import type { Arguments } from './arguments.ts';
import type { Output } from './output.ts';

export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** What to write after it, for help: `FILE`. A flag without one takes no value. */
  readonly value?: string;
  readonly repeatable?: boolean;
  readonly summary: string;
}

export interface Command {
  readonly name: string;
  /** Another word for the same command. */
  readonly alias?: string;
  /** Positional arguments, for help: `FILE…`. */
  readonly usage: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** How many positional arguments there may be. */
  readonly takes: { readonly least: number; readonly most: number };
  readonly examples: readonly string[];
  readonly load: () => Promise<{ readonly run: RunCommand }>;
}

/** Resolves to the exit code. */
export type RunCommand = (given: Arguments, output: Output) => Promise<number>;

/** The command line was wrong: exit code 2. */
export class UsageError extends Error {
  readonly help: string | undefined;
  constructor(message: string, help?: string) {
    super(message);
    this.name = 'UsageError';
    this.help = help;
  }
}

/** Something outside ftc was in the way (a file, a directory): no stack trace, this exit code. */
export class CommandError extends Error {
  readonly exitCode: number;
  readonly help: string | undefined;
  constructor(message: string, exitCode: number, help?: string) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
    this.help = help;
  }
}
