/** A model, adapter or tensor file that cannot be read, in a sentence for people. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
  readonly file: string;
  /** What is wrong with the file, without its name. */
  readonly problem: string;
  /** The tensor at fault, where one is. */
  readonly tensor: string | undefined;
  /** What to do about it. */
  readonly help: readonly string[];

  constructor(file: string, message: string, tensor?: string, help: readonly string[] = []) {
    super(printable(`${file}: ${message}`));
    this.file = file;
    this.problem = message;
    this.tensor = tensor;
    this.help = help;
  }
}

const LONGEST = 120;

/** Names come from files that may hold anything: no control characters reach a terminal. */
const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** What stands in a file, for a message: the rest of a long one is left out. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}
