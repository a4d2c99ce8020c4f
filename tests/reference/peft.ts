/** Adapters that PEFT made, and what it computes with them (peft/make.py). */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Json } from '../../src/compiler/catalog.ts';
import { readSafetensors } from '../../src/runtime/checkpoints/safetensors.ts';
import type { Tensor } from '../../src/runtime/programs/ops.ts';

export interface PeftReference {
  readonly config: Readonly<Record<string, Json>>;
  /** adapter_model.safetensors */
  readonly adapter: ReadonlyMap<string, Tensor>;
  /** Tensors of expected.safetensors whose names start with `prefix`, without it. */
  expected(prefix: string): Map<string, Tensor>;
}

export async function readPeft(folder: string): Promise<PeftReference> {
  const path = (file: string) => fileURLToPath(new URL(`./peft/${folder}/${file}`, import.meta.url));
  const expected = await readSafetensors(path('expected.safetensors'));
  return {
    config: JSON.parse(readFileSync(path('adapter_config.json'), 'utf8')),
    adapter: await readSafetensors(path('adapter_model.safetensors')),
    expected: (prefix) =>
      new Map(
        [...expected].flatMap(([name, tensor]) =>
          name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
        ),
      ),
  };
}
