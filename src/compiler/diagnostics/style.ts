/** Colours of diagnostics, as ANSI escapes. */
export type Style = 'error' | 'warning' | 'frame' | 'strong';

const escapes: { readonly [S in Style]: string } = {
  error: '\u001B[1;31m',
  warning: '\u001B[1;33m',
  frame: '\u001B[36m',
  strong: '\u001B[1m',
};

export const paint = (text: string, style: Style, color: boolean): string =>
  color && text !== '' ? `${escapes[style]}${text}\u001B[0m` : text;
