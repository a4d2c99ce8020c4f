/** Where a command writes: text goes out as whole lines; colours only where they were wanted. */
import { ansiStyle, plainStyle, type Style, wantsColor } from './style.ts';

export interface Output {
  /** Writes a line to stdout. */
  readonly line: (text: string) => void;
  /** Writes to stdout as it is. */
  readonly write: (text: string) => void;
  /** Writes a line to stderr. */
  readonly error: (text: string) => void;
  readonly style: Style;
  readonly errorStyle: Style;
  /** Width of stdout in columns; 100 where it is not a terminal. */
  readonly columns: number;
  /** A live view makes sense: stdout is a terminal, this is not CI and TERM is not dumb. */
  readonly interactive: boolean;
}

export function createOutput(color: string | undefined): Output {
  const { stdout, stderr, env } = process;
  return {
    line: (text) => void stdout.write(`${text}\n`),
    write: (text) => void stdout.write(text),
    error: (text) => void stderr.write(`${text}\n`),
    style: wantsColor(color, stdout.isTTY === true) ? ansiStyle : plainStyle,
    errorStyle: wantsColor(color, stderr.isTTY === true) ? ansiStyle : plainStyle,
    columns: stdout.isTTY ? stdout.columns || 80 : 100,
    interactive: stdout.isTTY === true && !inContinuousIntegration(env) && env.TERM !== 'dumb',
  };
}

function inContinuousIntegration(environment: NodeJS.ProcessEnv): boolean {
  const ci = environment.CI;
  return (
    (ci !== undefined && ci !== '' && ci !== 'false' && ci !== '0') || environment.GITHUB_ACTIONS === 'true'
  );
}
