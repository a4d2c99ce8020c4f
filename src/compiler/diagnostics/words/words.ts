/** What is said about a problem: lower case, no full stop; only `help` proposes what to do. */
export interface Words {
  readonly message: string;
  /** At the caret. */
  readonly label?: string;
  readonly notes?: readonly string[];
  readonly help?: readonly string[];
  /** Text that mends the marked place without any doubt about what was meant. */
  readonly replacement?: string;
}

/** `a`, `b` or `c` */
export function either(names: readonly string[]): string {
  const quoted = names.map((name) => `\`${name}\``);
  return quoted.length < 2 ? (quoted[0] ?? '') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

/** Long lists end with how many more there are. */
export function listed(names: readonly string[], most = 24): string {
  const shown = names.slice(0, most).join(' ');
  return names.length > most ? `${shown} … (${names.length - most} more)` : shown;
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

/** 24 GB, 1.5 MB: powers of ten, three digits. */
export function readableBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${units[unit]}`;
}

/** The name that was probably meant, as help and as a replacement. */
export function didYouMean(name: string | undefined): Pick<Words, 'help' | 'replacement'> {
  return name === undefined ? {} : { help: [`did you mean \`${name}\`?`], replacement: name };
}

/** Written text on one line, at most 40 characters of it. */
export function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').replace(/[\u0000-\u001F\u007F-\u009F]/g, '�');
  return line.length > 40 ? `${line.slice(0, 39)}…` : line;
}
