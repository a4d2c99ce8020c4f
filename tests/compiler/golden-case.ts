/**
 * A golden case: source and result in one file.
 *
 *     % profile smoke            options of the command: pipeline, profile, set, all
 *     % repeat 300               the text stands this many times
 *     % escape                   \u0000 in the text stands for the character
 *     …source…
 *     % file shared.ftp          another file, which the first one uses
 *     …source…
 *     ==========
 *     …diagnostics, then the graph where there is one…
 */
import { compile } from '../../src/compiler/compile.ts';
import { renderText } from '../../src/compiler/diagnostics/render-text.ts';
import { printGraph } from '../../src/compiler/graph/print-graph.ts';
import { directoryOf, joinPath } from '../../src/compiler/source/paths.ts';
import type { SourceFile } from '../../src/compiler/source/source-file.ts';
import { fixture } from './fixture-catalog.ts';

export const rule = '==========\n';

export function runCase(source: string, name: string): string {
  const options: {
    pipeline?: string;
    profile?: string;
    everyPipeline?: boolean;
    set: { path: string; value: string }[];
  } = { set: [] };
  const files = new Map<string, string>();
  let path = `${name}.ftp`;
  let lines: string[] = [];
  let times = 1;
  let isEscaped = false;
  const end = (): void => {
    const text = lines.join('\n');
    files.set(
      path,
      isEscaped
        ? text.replace(/\\u([0-9A-F]{4})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
        : text,
    );
    lines = [];
  };
  for (const line of source.replace(/\n$/, '').split('\n')) {
    const [, word, rest = ''] = /^% (\w+) ?(.*)$/.exec(line) ?? [];
    if (word === undefined) lines.push(line);
    else if (word === 'file') {
      end();
      path = rest;
    } else if (word === 'set')
      options.set.push({ path: rest.split('=')[0]!, value: rest.slice(rest.indexOf('=') + 1) });
    else if (word === 'pipeline' || word === 'profile') options[word] = rest;
    else if (word === 'all') options.everyPipeline = true;
    else if (word === 'repeat') times = Number(rest);
    else if (word === 'escape') isEscaped = true;
    else throw new Error(`no such word in a golden case: ${line}`);
  }
  end();
  const [[entryPath, text]] = files as unknown as [[string, string]];
  const entry = {
    path: entryPath,
    text: times === 1 ? text : (text.endsWith('\n') ? text : `${text}\n`).repeat(times),
  };
  const resolve = (used: string, from: SourceFile): SourceFile | undefined => {
    const target = joinPath(directoryOf(from.path), used);
    const found = target === entryPath ? entry.text : files.get(target);
    return found === undefined ? undefined : { path: target, text: found };
  };
  const { graph, diagnostics, sources } = compile(entry, { catalog: fixture, resolve, ...options });
  const drawn = renderText(diagnostics, { sources });
  return [drawn, graph === undefined ? '' : printGraph(graph)].filter((part) => part !== '').join('\n');
}
