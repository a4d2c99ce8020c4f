import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { brokenFile } from '../data-error.ts';

/** Gzip as a stream, several members in a row too. @throws DataError `broken-data-file` */
export async function* gunzipped(packed: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer> {
  const source = Readable.from(packed, { objectMode: false });
  const gunzip = createGunzip({ chunkSize: 1 << 18 });
  source.on('error', (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (!code.startsWith('Z_')) throw error;
    const why =
      code === 'Z_BUF_ERROR'
        ? 'it ends in the middle of its gzip data'
        : `its gzip data are damaged (${message})`;
    throw brokenFile(path, why);
  } finally {
    source.destroy();
  }
}
