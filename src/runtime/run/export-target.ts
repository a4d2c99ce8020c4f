/** The place of an export: what stands there is only replaced where an export wrote it, and then all at once. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { words } from '../../compiler/diagnostics/words.ts';
import { isGgufPath } from '../stages/export-options.ts';
import { StageError } from '../stages/stage.ts';
import { hashOf } from './exported-files.ts';
import { isOurGguf } from './gguf-mark.ts';
import { writeJson } from './model-files-written.ts';

/** Lists what an export wrote, with its hashes: what it may replace next time. */
const EXPORT_LIST = 'ftc-export.json';

export class ExportTarget {
  private constructor(
    /** As the user sees it. */
    readonly path: string,
    /** Files are written here, beside the target, so that a move is enough. */
    readonly staging: string,
    private readonly overwrite: boolean,
  ) {}

  /** Errors: StageError `would-overwrite`; whatever the file system says. */
  static async open(path: string, overwrite: boolean): Promise<ExportTarget> {
    const real = await realpath(path).catch(() => path);
    await mkdir(dirname(real), { recursive: true });
    const foreign = await foreignFiles(real);
    if (foreign.length > 0 && !overwrite) throw wouldOverwrite(path, foreign);
    const staging = join(dirname(real), `.${basename(real)}.${randomBytes(4).toString('hex')}.partial`);
    await mkdir(staging);
    return new ExportTarget(real, staging, overwrite);
  }

  /** Gives the files their name. Of a directory, files of others that are in no one's way stay. */
  async commit(files: readonly string[]): Promise<void> {
    if (isGgufPath(this.path)) {
      await rename(join(this.staging, files[0]!), this.path);
      return this.discard();
    }
    const hashes: Record<string, string> = {};
    for (const file of [...files].sort()) hashes[file] = await hashOf(join(this.staging, file));
    await writeJson(this.staging, EXPORT_LIST, { files: hashes });
    if (!existsSync(this.path)) return rename(this.staging, this.path);
    await this.keepOthers([...files, EXPORT_LIST]);
    const old = `${this.staging}.old`;
    await rename(this.path, old);
    await rename(this.staging, this.path);
    await rm(old, { recursive: true, force: true });
  }

  discard(): Promise<void> {
    return rm(this.staging, { recursive: true, force: true });
  }

  /** Moves what the earlier export did not write, and what would not be taken for a part of this one. */
  private async keepOthers(files: readonly string[]): Promise<void> {
    const earlier = await listed(this.path);
    const mine = new Set([...(earlier?.keys() ?? []), ...files]);
    const others = (await readdir(this.path)).filter((name) => !mine.has(name));
    const clash = [...mine].filter(
      (name) => files.includes(name) && !earlier?.has(name) && name !== EXPORT_LIST,
    );
    const inTheWay = clash.filter((name) => existsSync(join(this.path, name)));
    if (inTheWay.length > 0 && !this.overwrite) throw wouldOverwrite(this.path, inTheWay);
    for (const name of others)
      if (!(this.overwrite && MODEL_FILE.test(name)))
        await rename(join(this.path, name), join(this.staging, name));
  }
}

/** Another model's files, which programs would take for this one's. */
const MODEL_FILE =
  /^(model(-\d{5}-of-\d{5})?\.safetensors|model\.safetensors\.index\.json|adapter_(model\.safetensors|config\.json)|ftc\.json|chat_template\.jinja|model\.onnx(_data)?|pytorch_model.*\.bin)$/;

function wouldOverwrite(path: string, files: readonly string[]): StageError {
  const { message, notes = [], help = [] } = words['would-overwrite']({ path, files });
  return new StageError('would-overwrite', message, { option: 'to', notes, help });
}

/** What stands at the target that no export wrote, or that was changed since; of others' files beside ours, none. */
async function foreignFiles(path: string): Promise<string[]> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return [];
  if (isGgufPath(path)) return found.isFile() && (await isOurGguf(path)) ? [] : [basename(path)];
  if (!found.isDirectory()) return [basename(path)];
  const names = await readdir(path);
  const earlier = await listed(path);
  if (earlier === undefined) return names;
  const changed: string[] = [];
  for (const [name, hash] of earlier)
    if (names.includes(name) && (await hashOf(join(path, name))) !== hash) changed.push(name);
  return changed;
}

/** Name → hash of what an earlier export wrote here; undefined where none did. */
async function listed(path: string): Promise<Map<string, string> | undefined> {
  try {
    const { files } = JSON.parse(await readFile(join(path, EXPORT_LIST), 'utf8')) as { files: object };
    return new Map(Object.entries(files) as [string, string][]);
  } catch {
    return undefined;
  }
}
