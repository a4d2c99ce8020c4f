/** bitsandbytes/*.safetensors, read as they lie in the file: U8 stays bytes. */
import { readFileSync } from 'node:fs';
import type { StoredTensor } from '../../src/runtime/quantization/bitsandbytes-layout.ts';

interface Entry {
  readonly dtype: 'U8' | 'F32';
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

function read(file: string): Map<string, StoredTensor> {
  const bytes = readFileSync(new URL(`./bitsandbytes/${file}`, import.meta.url));
  const begin = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, begin)) as { readonly [name: string]: Entry };
  return new Map(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        const data = Uint8Array.from(bytes.subarray(begin + from, begin + to));
        return [
          name,
          dtype === 'U8' ? { dtype, shape, data } : { dtype, shape, data: new Float32Array(data.buffer) },
        ];
      },
    ),
  );
}

export const bitsandbytesCheckpoint = read('checkpoint.safetensors');
const expected = read('expected.safetensors');

/** A weight before (`original`) and after (`dequantized`). */
export const bitsandbytesWeight = (name: string, when: 'original' | 'dequantized'): Float32Array =>
  expected.get(`${name}.${when}`)!.data as Float32Array;
