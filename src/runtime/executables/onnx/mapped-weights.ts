/**
 * Frozen weights that the engine maps from the file they lie in: no copy, and pages that are read when they are needed. As
 * graph inputs with a default they are no constants, which the engine would pack, or widen once and for all. Numbers of
 * two bytes are widened for each reader by itself, just before it.
 */
import { realpathSync } from 'node:fs';
import { isAbsolute, parse, relative } from 'node:path';
import type { Tensor } from '../../programs/ops.ts';
import { sizeOf } from '../../programs/program.ts';
import { storedNumbers } from '../../programs/stored-numbers.ts';
import type { OnnxGraph } from './graph.ts';
import { ELEMENT, type MappedInitializer } from './protobuf.ts';

/** The engine takes paths below a folder only. */
export const MAPPED_FOLDER = parse(process.cwd()).root;

/** undefined for a file on another drive, or one that is gone. */
function inFolder(file: string): string | undefined {
  try {
    const path = relative(MAPPED_FOLDER, realpathSync(file));
    return isAbsolute(path) ? undefined : path;
  } catch {
    return undefined;
  }
}

const BYTES = { f32: 4, f16: 2, bf16: 2 } as const;

/** What can be mapped of these weights, by name: numbers must lie at a multiple of their size. */
export function mappedWeights(frozen: ReadonlyMap<string, Tensor>): Map<string, MappedInitializer> {
  const mapped = new Map<string, MappedInitializer>();
  for (const [name, tensor] of frozen) {
    const place = storedNumbers(tensor);
    if (place === undefined || place.offset % BYTES[place.format] !== 0) continue;
    const { offset, format } = place;
    const file = inFolder(place.file);
    const length = BYTES[format] * sizeOf(tensor.shape);
    if (length > 0 && file !== undefined)
      mapped.set(name, { name, dtype: format, shape: tensor.shape, file, offset, length });
  }
  return mapped;
}

/** A weight this small is widened once. */
const SMALL = 1 << 16;

/** Names of mapped weights as f32. */
export class Widening {
  private readonly once = new Map<string, string>();

  constructor(
    private readonly mapped: ReadonlyMap<string, MappedInitializer>,
    private readonly graph: OnnxGraph,
  ) {}

  isHalf(name: string): boolean {
    const dtype = this.mapped.get(name)?.dtype;
    return dtype !== undefined && dtype !== 'f32';
  }

  /** For one reader. A name that is of no half is that name. */
  nameFor(name: string): string {
    if (!this.isHalf(name)) return name;
    const known = this.once.get(name);
    if (known !== undefined) return known;
    const wide = this.graph.writeEarly(() => this.widen(name));
    if (sizeOf(this.mapped.get(name)!.shape) <= SMALL) this.once.set(name, wide);
    return wide;
  }

  widen(value: string): string {
    return this.graph.node('Cast', [value], { attributes: { to: ELEMENT.f32 } });
  }
}
