/** An adapter in PEFT's layout that cannot be read, or not on this base; in the voice of a diagnostic: lower case, no full stop. */
export class PeftError extends Error {
  override readonly name = 'PeftError';
  constructor(
    message: string,
    readonly help: readonly string[] = [],
  ) {
    super(message);
  }
}
