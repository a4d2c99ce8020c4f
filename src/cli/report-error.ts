/** An error that ended a command, for people: what is wrong and what to do. Gives the exit code. */
import { DiagnosticError, diagnose, exitCodeOf } from '../compiler/diagnostics/diagnostic.ts';
import type { SourceFile } from '../compiler/source/source-file.ts';
import { CommandError, UsageError } from './command.ts';
import { readSource, systemWords } from './compile-file.ts';
import { exitCodes } from './exit-codes.ts';
import type { Output } from './output.ts';
import { problemLines } from './problem-lines.ts';
import { drawn } from './report-diagnostics.ts';

export async function reportError(error: unknown, output: Output, verbose: boolean): Promise<number> {
  const { errorStyle: style, error: line } = output;
  if (error instanceof UsageError || error instanceof CommandError) {
    line(`${style.red('error')}: ${error.message}`);
    if (error.help !== undefined) line(`  = help: ${error.help}`);
    return error instanceof CommandError ? error.exitCode : exitCodes.usage;
  }
  if (error instanceof DiagnosticError) {
    const { diagnostic } = error;
    line(drawn([diagnostic], sourcesOf(diagnostic.span?.file), style, output.columns));
    return exitCodeOf([diagnostic]);
  }
  if (isSystemError(error)) {
    line(`${style.red('error')}: ${error.path ?? error.syscall ?? 'the system'}: ${systemWords(error)}`);
    return error.code === 'ENOSPC' ? exitCodes.doesNotFit : exitCodes.environment;
  }
  // Loaded here alone: it knows every kind of error of the runtime.
  const { explainFailure } = await import('../runtime/run/failures.ts');
  const { diagnostic, exitCode } = explainFailure(error, undefined);
  if (diagnostic !== undefined && exitCode !== exitCodes.bug) {
    line(problemLines(diagnostic, style).join('\n'));
    return exitCode;
  }
  const what = error instanceof Error ? error.message : String(error);
  line(drawn([diagnose('internal', { what })], [], style, output.columns));
  if (verbose && error instanceof Error) line(error.stack ?? '');
  return exitCodes.bug;
}

function sourcesOf(path: string | undefined): readonly SourceFile[] {
  const source = path === undefined ? undefined : readSource(path);
  return source === undefined || 'code' in source ? [] : [source];
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'errno' in error && 'syscall' in error && 'code' in error;
}
