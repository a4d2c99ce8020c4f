#!/usr/bin/env node
import { nearest } from '../compiler/diagnostics/nearest.ts';
import { parseArguments } from './arguments.ts';
import { leaveWhenPipeCloses } from './closed-pipe.ts';
import { type Command, UsageError } from './command.ts';
import { commands } from './commands.ts';
import { exitCodes } from './exit-codes.ts';
import { overview, page } from './help.ts';
import { createOutput } from './output.ts';
import { version } from './package-root.ts';

/** `--color`, once it is known. */
let color: string | undefined;

leaveWhenPipeCloses();
process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  try {
    return await dispatch(words);
  } catch (error) {
    // Loaded here alone: it can draw source text.
    const { reportError } = await import('./report-error.ts');
    return reportError(error, createOutput(color), words.includes('-v') || words.includes('--verbose'));
  }
}

async function dispatch(words: readonly string[]): Promise<number> {
  const [first, ...rest] = words;
  if (first === '--version' || first === '-V' || first === 'version') {
    process.stdout.write(`${version}\n`);
    return exitCodes.ok;
  }
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    const about = first === 'help' ? rest[0] : undefined;
    const { style } = createOutput(undefined);
    process.stdout.write(`${about === undefined ? overview(commands, style) : page(find(about), style)}\n`);
    return first === undefined ? exitCodes.usage : exitCodes.ok;
  }
  const command = find(first);
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(`${page(command, createOutput(undefined).style)}\n`);
    return exitCodes.ok;
  }
  const given = parseArguments(command, rest);
  color = given.value('color');
  if (color !== undefined && !['auto', 'always', 'never'].includes(color)) {
    throw new UsageError(`\`--color\` is auto, always or never, not \`${color}\``);
  }
  const { run } = await command.load();
  return run(given, createOutput(color));
}

function find(name: string): Command {
  const command = commands.find((one) => one.name === name || one.alias === name);
  if (command !== undefined) return command;
  if (name.endsWith('.ftp')) throw new UsageError(`\`${name}\` is no command`, `write ftc run ${name}`);
  const known = commands.flatMap((one) => (one.alias === undefined ? [one.name] : [one.name, one.alias]));
  const isFlag = name.startsWith('-');
  const meant = nearest(name, isFlag ? ['--help', '--version'] : known);
  throw new UsageError(
    isFlag
      ? `\`${name}\` stands before a command, where only --help and --version may`
      : `ftc has no command \`${name}\``,
    meant === undefined ? 'ftc --help lists the commands' : `did you mean \`ftc ${meant}\`?`,
  );
}
