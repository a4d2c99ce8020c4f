/** A model that GGUF, or llama.cpp reading it, has no place for; `message` in the voice of a diagnostic. */
export class GgufError extends Error {
  override readonly name = 'GgufError';
  constructor(
    message: string,
    readonly help: readonly string[] = [],
  ) {
    super(message);
  }
}
