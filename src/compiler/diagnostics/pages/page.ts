/** A text of `.ftp` that shows a problem, or shows it mended. */
export interface Example {
  readonly text: string;
  /** What is compiled where the text above stands for something too long to print. */
  readonly whole?: () => string;
  /** Other files, by path. */
  readonly files?: { readonly [path: string]: string };
  /** `-p`, `--profile`, `--set` of the command. */
  readonly pipeline?: string;
  readonly profile?: string;
  readonly set?: readonly { readonly path: string; readonly value: string }[];
}

/** The long page of a diagnostic. */
export interface Page {
  /** What it means and why it is a problem, in Markdown. */
  readonly text: string;
  readonly failing: Example;
  readonly mended: Example;
}

export const page = (text: string, failing: string | Example, mended: string | Example): Page => ({
  text: text.trim().replace(/\s*\n\s*/g, ' '),
  failing: typeof failing === 'string' ? { text: failing } : failing,
  mended: typeof mended === 'string' ? { text: mended } : mended,
});
