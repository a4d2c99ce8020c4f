/** What someone meant who named a pipeline file that is not there. */
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { nearest } from '../compiler/diagnostics/nearest.ts';

const mostNamed = 5;

/** Looks into the directory of `path`, or into `path` where it is one; undefined where no pipeline lies there. */
export function meantFile(path: string): string | undefined {
  const inside = pipelinesIn(path);
  const [directory, found] = inside.length > 0 ? [path, inside] : [dirname(path), pipelinesIn(dirname(path))];
  if (found.length === 0) return undefined;
  const named = basename(path);
  const meant = inside.length > 0 ? undefined : nearest(named.replace(/(\.ftp)?$/, '.ftp'), found);
  if (meant !== undefined) return `did you mean \`${join(directory, meant)}\`?`;
  const some = found.slice(0, mostNamed).map((name) => `\`${join(directory, name)}\``);
  return `there ${found.length === 1 ? 'is' : 'are'} ${some.join(', ')}${found.length > mostNamed ? ', …' : ''}`;
}

function pipelinesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.ftp'))
      .sort();
  } catch {
    return [];
  }
}
