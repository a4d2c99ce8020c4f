/** `ftc explain CODE`: the long page of a diagnostic. */
import { codes, problemNameOf } from './diagnostics/codes.ts';
import type { Example } from './diagnostics/pages/page.ts';
import { pages } from './diagnostics/pages/pages.ts';

/** Markdown; `undefined` where there is no such code. Takes `FTP2003`, `ftp2003` or `unknown-param`. */
export function explain(codeOrName: string): string | undefined {
  const name = problemNameOf(codeOrName);
  if (name === undefined) return undefined;
  const { code, severity, exit } = codes[name];
  const { text, failing, mended } = pages[name];
  const isSame =
    failing.text === mended.text && command(failing) === command(mended) && failing.files === mended.files;
  const examples = isSame
    ? ['It does not come from the text of the pipeline, so there is nothing to mend in it.']
    : ['## Fails', show(failing), '## Mended', show(mended)];
  const kind = severity === 'warning' ? 'A warning; the exit code stays 0.' : `An error; exit code ${exit}.`;
  return `${[`# ${code} ${name}`, text, kind, ...examples].join('\n\n')}\n`;
}

/** Every code with its name, for completion and for the list of all pages. */
export const allCodes = (): readonly { readonly code: string; readonly name: string }[] =>
  Object.entries(codes).map(([name, { code }]) => ({ code, name }));

function show(example: Example): string {
  const files = Object.entries(example.files ?? {}).map(([path, text]) => block(`# ${path}\n${text}`));
  const line = command(example);
  return [block(example.text), ...files, ...(line === '' ? [] : [`checked with \`${line}\``])].join('\n\n');
}

const block = (text: string): string =>
  text
    .split('\n')
    .map((line) => `    ${line}`.trimEnd())
    .join('\n');

function command({ pipeline, profile, set }: Example): string {
  const parts = [
    ...(pipeline === undefined ? [] : [`-p ${pipeline}`]),
    ...(profile === undefined ? [] : [`--profile ${profile}`]),
    ...(set ?? []).map(({ path, value }) => `--set ${path}=${value}`),
  ];
  return parts.join(' ');
}
