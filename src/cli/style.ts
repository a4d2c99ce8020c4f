/** Colours of text commands: plain SGR codes, or nothing at all. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
  readonly enabled: boolean;
}

const wrap = (open: number, close: number) => (text: string) => `\u001b[${open}m${text}\u001b[${close}m`;
const same = (text: string) => text;

export const plainStyle: Style = {
  bold: same,
  dim: same,
  red: same,
  green: same,
  yellow: same,
  cyan: same,
  enabled: false,
};

export const ansiStyle: Style = {
  bold: wrap(1, 22),
  dim: wrap(2, 22),
  red: wrap(31, 39),
  green: wrap(32, 39),
  yellow: wrap(33, 39),
  cyan: wrap(36, 39),
  enabled: true,
};

/** `--color` wins over `NO_COLOR`, which wins over what the stream is. */
export function wantsColor(
  choice: string | undefined,
  isTty: boolean,
  environment: NodeJS.ProcessEnv = process.env,
): boolean {
  if (choice === 'always') return true;
  if (choice === 'never') return false;
  if (environment.NO_COLOR !== undefined && environment.NO_COLOR !== '') return false;
  return isTty && environment.TERM !== 'dumb';
}
