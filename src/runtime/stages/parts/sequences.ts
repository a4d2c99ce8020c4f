/** Sequences of tokens, of any number: a spread of a long list overflows the stack. */

/** One after the other. */
export function joined(...parts: readonly Int32Array[]): Int32Array {
  const whole = new Int32Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
