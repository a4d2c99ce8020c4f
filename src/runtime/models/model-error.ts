/** Sizes of a model call that do not go together; `message` in the voice of a diagnostic: lower case, no full stop. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  constructor(
    message: string,
    readonly help: readonly string[] = [],
  ) {
    super(message);
  }
}
