/** `--reporter NAME[=FILE]`: which reports, and where to. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { nearest } from '../../compiler/diagnostics/nearest.ts';
import { CommandError, UsageError } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';

const reporterNames = ['json', 'github', 'markdown', 'junit'] as const;

type ReporterName = (typeof reporterNames)[number];

export interface ReporterRequest {
  readonly name: ReporterName;
  /** Absent: stdout. */
  readonly file?: string;
}

/** GitHub's annotations and summary come by themselves in its Actions. */
export function parseReporters(
  texts: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): readonly ReporterRequest[] {
  const requests = texts.map((text): ReporterRequest => {
    const equals = text.indexOf('=');
    const name = equals === -1 ? text : text.slice(0, equals);
    if (!isReporter(name)) {
      const meant = nearest(name, reporterNames);
      throw new UsageError(
        `there is no reporter \`${name}\``,
        meant === undefined ? `reporters: ${reporterNames.join(', ')}` : `did you mean \`${meant}\`?`,
      );
    }
    const file = equals === -1 ? undefined : text.slice(equals + 1);
    if (file === '')
      throw new UsageError(`\`--reporter ${text}\` names no file`, `write --reporter ${name}=FILE`);
    return { name, ...(file === undefined ? {} : { file }) };
  });
  const github = environment.GITHUB_ACTIONS === 'true' && !requests.some(({ name }) => name === 'github');
  const all: readonly ReporterRequest[] = github ? [...requests, { name: 'github' }] : requests;
  const onStdout = all.filter((request) => takesStdout(request));
  if (onStdout.length > 1) {
    const names = onStdout.map(({ name }) => name).join(' and ');
    throw new UsageError(
      `${names} cannot both write to stdout`,
      `write --reporter ${onStdout[1]!.name}=FILE`,
    );
  }
  return all;
}

/** A whole document on stdout leaves no room for anything else there; annotations are lines among lines. */
export function takesStdout({ name, file }: ReporterRequest): boolean {
  return file === undefined && name !== 'github';
}

function isReporter(name: string): name is ReporterName {
  return (reporterNames as readonly string[]).includes(name);
}

/** Where a report's text goes: a fresh file, or stdout. */
export function reportSink({ file }: ReporterRequest, output: Output): (text: string) => void {
  if (file === undefined) return output.write;
  const guarded = (write: () => void) => {
    try {
      write();
    } catch (error) {
      const { message } = error as Error;
      throw new CommandError(`cannot write the report \`${file}\`: ${message}`, exitCodes.environment);
    }
  };
  guarded(() => writeFileSync(file, ''));
  return (text) => guarded(() => appendFileSync(file, text));
}
