/** Files into the pure compiler: reads the entry file and what it uses, and hands over the catalog. */
import { readFileSync, statSync } from 'node:fs';
import { compile } from '../compiler/compile.ts';
import { type Diagnostic, diagnose } from '../compiler/diagnostics/diagnostic.ts';
import type { ExecutionGraph } from '../compiler/graph/graph.ts';
import type { Observe } from '../compiler/pass.ts';
import { directoryOf, joinPath } from '../compiler/source/paths.ts';
import {
  decodeSource,
  maxSourceLength,
  type SourceFile,
  undecodable,
} from '../compiler/source/source-file.ts';
import { catalog } from '../runtime/catalog.ts';
import type { Arguments } from './arguments.ts';
import { UsageError } from './command.ts';
import { meantFile } from './meant-file.ts';

/** What the command line says about a file's pipeline. */
export interface PipelineSettings {
  readonly pipeline?: string;
  readonly profile?: string;
  /** `path=value` */
  readonly set: readonly string[];
}

export interface Checked {
  readonly path: string;
  /** Every text that a diagnostic may point into. */
  readonly sources: readonly SourceFile[];
  readonly diagnostics: readonly Diagnostic[];
  /** Names of the pipelines of the file. */
  readonly pipelines: readonly string[];
  /** The chosen pipeline; absent where there are errors. */
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

/** What only some commands ask of the compiler. */
export interface CompileExtras {
  /** All pipelines of the file are checked; it may have none. */
  readonly everyPipeline?: boolean;
  /** Told of every pass. */
  readonly observe?: Observe;
}

export function checkFile(path: string, settings: PipelineSettings, extras: CompileExtras = {}): Checked {
  const entry = readSource(path);
  if ('code' in entry) return { path, sources: [], diagnostics: [entry], pipelines: [] };
  const resolve = (used: string, from: SourceFile): SourceFile | undefined => {
    const read = readSource(joinPath(directoryOf(from.path), used));
    return 'code' in read ? undefined : read;
  };
  const set = settings.set.map(splitSetting);
  const { graph, diagnostics, sources, pipelines } = compile(entry, {
    catalog,
    resolve,
    ...settings,
    set,
    ...extras,
  });
  return { path, sources, diagnostics, pipelines, ...(graph === undefined ? {} : { graph }) };
}

function splitSetting(text: string): { readonly path: string; readonly value: string } {
  const equals = text.indexOf('=');
  if (equals < 1)
    throw new UsageError(
      `\`--set ${text}\` sets nothing`,
      'write --set PATH=VALUE, such as --set sft.lr=1e-4',
    );
  return { path: text.slice(0, equals), value: text.slice(equals + 1) };
}

/** The text of a file, or why there is none. */
export function readSource(path: string): SourceFile | Diagnostic {
  try {
    const { size } = statSync(path);
    // No more than four bytes a unit: larger files need not be read.
    if (size > 4 * maxSourceLength)
      return diagnose(
        'file-too-large',
        { length: size, most: maxSourceLength, of: 'bytes' },
        { span: { file: path, start: 0, end: 0, line: 1, column: 1 } },
      );
    const bytes = readFileSync(path);
    const source = decodeSource(path, bytes);
    if (source !== undefined) return source;
    const { span, utf16 } = undecodable(path, bytes);
    return diagnose('not-text', { why: utf16 ? 'UTF-16' : 'not UTF-8' }, { span });
  } catch (error) {
    const diagnostic = diagnose('unreadable-file', {
      path,
      why: systemWords(error as NodeJS.ErrnoException),
    });
    const meant = meantFile(path);
    return meant === undefined ? diagnostic : { ...diagnostic, help: [meant] };
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
