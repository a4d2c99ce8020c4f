/** Files of a tokenizer that cannot be used; the message says which file and what is wrong with it. */
export class TokenizerError extends Error {
  override readonly name = 'TokenizerError';
  constructor(
    /** Its name or path. */
    readonly file: string,
    problem: string,
    readonly help: readonly string[] = [],
  ) {
    super(`${file} ${problem}`);
  }
}
