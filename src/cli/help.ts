/** Help: the list of commands, and a command's own page. */
import type { Command } from './command.ts';
import type { Style } from './style.ts';

export function overview(commands: readonly Command[], style: Style): string {
  const rows = commands.map(({ name, usage, summary }) => [`ftc ${name} ${usage}`.trim(), summary] as const);
  return [
    `${style.bold('ftc')}: the compiler for making language models`,
    '',
    ...columns(rows, style),
    '',
    'ftc COMMAND --help tells more about one; ftc --version the version.',
    'Start with: ftc init && ftc run quickstart.ftp',
  ].join('\n');
}

export function page(command: Command, style: Style): string {
  const { name, alias, usage, summary, flags, examples } = command;
  const rows = flags.map((flag) => {
    const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
    const value = flag.value === undefined ? '' : ` ${flag.value}`;
    return [
      `${short}--${flag.name}${value}`,
      `${flag.summary}${flag.repeatable ? ' (repeatable)' : ''}`,
    ] as const;
  });
  return [
    `${style.bold(`ftc ${name} ${usage}`.trim())}`,
    `  ${summary}${alias === undefined ? '' : ` (also: ftc ${alias})`}`,
    '',
    ...columns(rows, style),
    '',
    ...examples.map((example) => `  ${style.dim('$')} ${example}`),
  ].join('\n');
}

function columns(rows: readonly (readonly [string, string])[], style: Style): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${style.cyan(left.padEnd(width))}  ${right}`);
}
