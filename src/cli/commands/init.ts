/** `ftc init`: a starting pipeline with its data, copied from the examples that the package carries. */
import { cp, mkdir, readdir } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { nearest } from '../../compiler/diagnostics/nearest.ts';
import { CommandError, type RunCommand, UsageError } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { packageRoot } from '../package-root.ts';
import { quoted } from '../quoted.ts';

interface Template {
  readonly name: string;
  readonly summary: string;
  /** Files and folders beside each other in `pipelines/`. */
  readonly parts: readonly string[];
}

const templates: readonly Template[] = [
  {
    name: 'quickstart',
    summary: 'pretrain → sft → rm → ppo in one line, on a small corpus; under two minutes',
    parts: ['quickstart.ftp', 'data'],
  },
  {
    name: 'medical',
    summary: 'a bilingual assistant on synthetic notes, with evaluation, a gate and preferences',
    parts: ['medical.ftp', 'medical'],
  },
];

const source = join(packageRoot, 'pipelines');

export const run: RunCommand = async (given, output) => {
  if (given.has('list')) {
    for (const { name, summary } of templates) output.line(`${name.padEnd(12)} ${summary}`);
    return exitCodes.ok;
  }
  const template = find(given.positionals[0] ?? 'quickstart');
  const target = given.value('to') ?? '.';
  await refuseToOverwrite(target, template.parts);
  try {
    await mkdir(target, { recursive: true });
    for (const part of template.parts) {
      // The scripts that made the data stay in the package.
      await cp(join(source, part), join(target, part), {
        recursive: true,
        filter: (path) => !path.endsWith('.mjs'),
      });
    }
  } catch (error) {
    throw new CommandError(
      `cannot write to \`${target}\`: ${(error as Error).message}`,
      exitCodes.environment,
    );
  }
  const file = quoted(join(target, template.parts[0]!));
  if (!given.has('quiet')) {
    output.line(
      `wrote ${template.parts.map((part) => relative('.', join(target, part)) || part).join(' and ')}`,
    );
    output.line('');
    output.line(`  ftc plan ${file}    what would run, and what it costs`);
    output.line(`  ftc run ${file}     train it`);
  }
  return exitCodes.ok;
};

function find(name: string): Template {
  const template = templates.find((one) => one.name === name);
  if (template !== undefined) return template;
  const names = templates.map((one) => one.name);
  const meant = nearest(name, names);
  throw new UsageError(
    `there is no template \`${name}\``,
    meant === undefined ? `templates: ${names.join(', ')}` : `did you mean \`ftc init ${meant}\`?`,
  );
}

async function refuseToOverwrite(target: string, parts: readonly string[]): Promise<void> {
  const there = await readdir(target).catch((): string[] => []);
  const taken = parts.find((part) => there.includes(basename(part)));
  if (taken === undefined) return;
  throw new CommandError(
    `\`${join(target, taken)}\` is there already, and init overwrites nothing`,
    exitCodes.failed,
    'name another directory: ftc init --to DIR',
  );
}
