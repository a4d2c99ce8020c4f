/** Whether a GGUF file is one that ftc wrote. */
import { open } from 'node:fs/promises';

/** A key of the file's metadata. */
export const GGUF_MARK = 'ftc.export';

const LOOKED_AT = 1 << 16;

/** Looks for the key near the start, where the short ones stand; no file that is not GGUF is one. */
export async function isOurGguf(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LOOKED_AT), 0, LOOKED_AT, 0);
    const start = buffer.subarray(0, bytesRead);
    return start.subarray(0, 4).toString('latin1') === 'GGUF' && start.includes(GGUF_MARK);
  } finally {
    await file.close();
  }
}
