/** A chat template that cannot be used, or does not fit a conversation; the message says why. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}
