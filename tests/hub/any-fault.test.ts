/** Whatever goes wrong, in whatever order: the model is there as the hub has it, or there is an error; never anything else. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fetchModel } from '../../src/runtime/hub/fetch-model.ts';
import { HubError } from '../../src/runtime/hub/hub-error.ts';
import { type Fault, gitHash, sha256, startHub } from './fake-hub.ts';
import { asking, bytes } from './tiny-files.ts';

const files = {
  'config.json': '{"model_type":"llama"}',
  'tokenizer.json': JSON.stringify({ model: [...bytes(3000)] }),
  'model.safetensors': bytes(50_000),
};

const fault: fc.Arbitrary<Fault | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  fc.record({ cutAfter: fc.integer({ min: 0, max: 50_000 }) }),
  fc.constantFrom<Fault>({ ignoresRange: true }, { chunked: true }, { hangs: true }),
  fc.constantFrom(401, 403, 404, 408, 416, 429, 500, 502).map((status) => ({ status })),
  fc.string().map((body) => ({ body })),
  fc.uint8Array({ maxLength: 60_000 }).map((body) => ({ body })),
  fc.constantFrom('0', '-1', 'no', '1e30', '17').map((length) => ({ headers: { 'x-linked-size': length } })),
  fc.constantFrom('', '"x', '../x', 'a'.repeat(300)).map((tag) => ({ headers: { 'x-linked-etag': tag } })),
  fc.constantFrom('bytes 1-2/3', 'bytes 0-', 'x').map((range) => ({ headers: { 'content-range': range } })),
  fc.constantFrom('/org/tiny', 'ftp://x/y', 'nowhere', '').map((location) => ({ headers: { location } })),
);

/** Every blob has the bytes that its name says; of what is on the way nothing is said. */
function expectSound(cache: string): void {
  let names: string[] = [];
  try {
    names = readdirSync(join(cache, 'models--org--tiny/blobs'));
  } catch {
    return;
  }
  for (const name of names.filter((n) => !n.endsWith('.incomplete'))) {
    const content = readFileSync(join(cache, 'models--org--tiny/blobs', name));
    if (/^[0-9a-f]{40}$/.test(name)) expect(gitHash(content)).toBe(name);
    if (/^[0-9a-f]{64}$/.test(name)) expect(sha256(content)).toBe(name);
  }
}

it('keeps the cache sound', async () => {
  const hub = await startHub(files);
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { maxLength: 14 }), async (faults) => {
        const rest = [...faults];
        hub.fault = () => rest.shift();
        const request = asking(hub, { variables: { HF_HUB_DOWNLOAD_TIMEOUT: '0.05' } });
        await fetchModel(request).catch((error: unknown) => {
          if (!(error instanceof HubError)) throw error;
        });
        expectSound(request.cache);
        // Whatever it left behind, the next one comes through.
        hub.fault = () => undefined;
        const { directory } = await fetchModel(request);
        expectSound(request.cache);
        for (const [name, content] of Object.entries(files))
          expect(readFileSync(join(directory, name)).equals(Buffer.from(content))).toBe(true);
      }),
      { numRuns: 60 },
    );
  } finally {
    await hub.close();
  }
}, 60_000);
