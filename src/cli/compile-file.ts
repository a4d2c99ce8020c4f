/** Files into the pure compiler: reads the entry file and what it uses, and hands over the catalog. */
import { readFileSync, statSync } from 'node:fs';
import { compile } from '../compiler/compile.ts';
import { type Diagnostic, diagnose } from '../compiler/diagnostics/diagnostic.ts';
import type { ExecutionGraph } from '../compiler/graph/graph.ts';
import { directoryOf, joinPath } from '../compiler/source/paths.ts';
import { decodeSource, maxSourceLength, type SourceFile } from '../compiler/source/source-file.ts';
import { catalog } from '../runtime/catalog.ts';
import type { Arguments } from './arguments.ts';

/** What the command line says about a file's pipeline. */
export interface PipelineSettings {
  readonly pipeline?: string;
  readonly profile?: string;
  /** `path=value` */
  readonly set: readonly string[];
}

export interface Checked {
  readonly path: string;
  /** Every file that was read, by the path that spans name. */
  readonly sources: ReadonlyMap<string, SourceFile>;
  readonly diagnostics: readonly Diagnostic[];
  /** Absent where there are errors. */
  readonly graph?: ExecutionGraph;
}

export function pipelineSettings(given: Arguments): PipelineSettings {
  const [pipeline, profile] = [given.value('pipeline'), given.value('profile')];
  return {
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(profile === undefined ? {} : { profile }),
    set: given.values('set'),
  };
}

export function checkFile(path: string, settings: PipelineSettings): Checked {
  const entry = readSource(path);
  if ('code' in entry) return { path, sources: new Map(), diagnostics: [entry] };
  const sources = new Map([[path, entry]]);
  const resolve = (used: string, from: SourceFile): SourceFile | undefined => {
    const read = readSource(joinPath(directoryOf(from.path), used));
    if ('code' in read) return undefined;
    sources.set(read.path, read);
    return read;
  };
  const { graph, diagnostics } = compile(entry, catalog, { resolve, ...settings });
  return { path, sources, diagnostics, ...(graph === undefined ? {} : { graph }) };
}

/** The text of a file, or why there is none. */
export function readSource(path: string): SourceFile | Diagnostic {
  try {
    const { size } = statSync(path);
    // No more than four bytes a unit: larger files need not be read.
    if (size > 4 * maxSourceLength)
      return diagnose('file-too-large', { length: size, most: 4 * maxSourceLength, of: 'bytes' });
    return decodeSource(path, readFileSync(path)) ?? diagnose('not-text', { why: 'not UTF-8' });
  } catch (error) {
    return diagnose('unreadable-file', { path, why: systemWords(error as NodeJS.ErrnoException) });
  }
}

/** `no such file`, without the path and the call that node adds. */
export function systemWords({ code, message }: NodeJS.ErrnoException): string {
  const words: { readonly [code: string]: string } = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a directory',
    ENOTDIR: 'a part of the path is not a directory',
    EACCES: 'permission denied',
    EPERM: 'not permitted',
    ENOSPC: 'no room left on the disk',
    EROFS: 'the file system is read-only',
  };
  return (code !== undefined && words[code]) || message;
}
