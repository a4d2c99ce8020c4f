/** Connections end early, fall silent, start anew: the file is whole in the end, and nothing is fetched twice that need not be. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fetchModel } from '../../src/runtime/hub/fetch-model.ts';
import { type Asked, type FakeHub, sha256, startHub } from './fake-hub.ts';
import { asking, bytes, tinyFiles } from './tiny-files.ts';

let hub: FakeHub;
afterEach(() => hub.close());

const weights = tinyFiles['model.safetensors'];
const tag = sha256(weights);
const blobs = (cache: string): string => join(cache, 'models--org--tiny', 'blobs');
const ofWeights = ({ server, method }: Asked): boolean => server === 'cdn' && method === 'GET';

function expectWhole(cache: string): void {
  expect(readFileSync(join(blobs(cache), tag)).equals(Buffer.from(weights))).toBe(true);
  expect(readdirSync(blobs(cache)).filter((name) => name.endsWith('.incomplete'))).toEqual([]);
}

describe('a cut connection', () => {
  /** Answers whose tag says nothing of the bytes; so many of them are cut. */
  function cutOpaque(cuts: number): { readonly ranges: (string | undefined)[] } {
    const ranges: (string | undefined)[] = [];
    hub.fault = (asked) => {
      if (asked.method === 'HEAD' && asked.path.endsWith('/model.safetensors'))
        return { headers: { 'x-linked-etag': '"opaque"' } };
      if (!ofWeights(asked)) return undefined;
      return ranges.push(asked.range) > cuts ? undefined : { cutAfter: 1000 };
    };
    return { ranges };
  }

  it('begins anew where nothing tells whether the pieces belong together', async () => {
    hub = await startHub(tinyFiles);
    const { ranges } = cutOpaque(2);
    const request = asking(hub);
    await fetchModel(request);
    expect(ranges).toEqual([undefined, undefined, undefined]);
    expect(readFileSync(join(blobs(request.cache), 'opaque')).equals(Buffer.from(weights))).toBe(true);
  });

  it('is given up there where it never ends', async () => {
    hub = await startHub(tinyFiles);
    cutOpaque(Number.POSITIVE_INFINITY);
    await expect(fetchModel(asking(hub))).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it.each([1, 2, 3, 4, 5])('goes on where it ended, wherever that is (%i)', async (seed) => {
    hub = await startHub(tinyFiles);
    const cuts = [...bytes(12, seed)].map((b) => 1 + b * 400);
    const starts: number[] = [];
    hub.fault = (asked) => {
      if (!ofWeights(asked)) return undefined;
      starts.push(Number(asked.range?.slice(6, -1) ?? 0));
      const cutAfter = cuts[starts.length - 1];
      return cutAfter === undefined ? undefined : { cutAfter };
    };
    const request = asking(hub);
    await fetchModel(request);
    expectWhole(request.cache);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(starts.length).toBeGreaterThan(2);
    // It never goes on beyond what was sent.
    const sent = starts.map((start, i) => start + (cuts[i] ?? 0));
    for (const [i, start] of starts.slice(1).entries()) expect(start).toBeLessThanOrEqual(sent[i]!);
    expect(starts.some((start) => start > 0)).toBe(true);
  });

  it('is an error where nothing comes any more, and what came is kept', async () => {
    hub = await startHub(tinyFiles);
    let answers = 0;
    hub.fault = (asked) => (ofWeights(asked) ? { cutAfter: answers++ === 0 ? 50_000 : 0 } : undefined);
    const request = asking(hub);
    await expect(fetchModel(request)).rejects.toMatchObject({ kind: 'unreachable' });
    const kept = readFileSync(join(blobs(request.cache), `${tag}.incomplete`));
    expect(kept.equals(Buffer.from(weights.slice(0, kept.length)))).toBe(true);
    expect(kept.length).toBeGreaterThan(0);
    hub.fault = () => undefined;
    hub.asked.length = 0;
    await fetchModel(request);
    expectWhole(request.cache);
    expect(hub.asked.filter(ofWeights).map(({ range }) => range)).toEqual([`bytes=${kept.length}-`]);
  });

  it('may fall silent', async () => {
    hub = await startHub(tinyFiles);
    let answers = 0;
    hub.fault = (asked) => (ofWeights(asked) && answers++ === 0 ? { hangs: true } : undefined);
    const request = asking(hub, { variables: { HF_HUB_DOWNLOAD_TIMEOUT: '0.3' } });
    await fetchModel(request);
    expectWhole(request.cache);
    expect(request.pauses.length).toBe(1);
  });

  it('may end without a word where no length was given', async () => {
    hub = await startHub(tinyFiles);
    hub.fault = (asked) => (ofWeights(asked) ? { chunked: true } : undefined);
    const request = asking(hub);
    await fetchModel(request);
    expectWhole(request.cache);
  });
});

describe('a partial file', () => {
  const partial = (cache: string, content: Uint8Array): void => {
    mkdirSync(blobs(cache), { recursive: true });
    writeFileSync(join(blobs(cache), `${tag}.incomplete`), content);
  };

  it('is kept when the user stops', async () => {
    hub = await startHub(tinyFiles);
    const stop = new AbortController();
    hub.fault = (asked) => {
      if (!ofWeights(asked)) return undefined;
      setTimeout(() => stop.abort(new Error('stopped')), 100);
      return { cutAfter: 70_000 };
    };
    const request = asking(hub, { pause: () => new Promise((resolve) => setTimeout(resolve, 200)) });
    await expect(fetchModel({ ...request, signal: stop.signal })).rejects.toThrow('stopped');
    expect(existsSync(join(blobs(request.cache), `${tag}.incomplete`))).toBe(true);
    hub.fault = () => undefined;
    await fetchModel(request);
    expectWhole(request.cache);
  });

  it('is of no use where the server sends everything again', async () => {
    hub = await startHub(tinyFiles);
    hub.fault = (asked) => (ofWeights(asked) ? { ignoresRange: true } : undefined);
    const request = asking(hub);
    partial(request.cache, weights.slice(0, 1000));
    await fetchModel(request);
    expectWhole(request.cache);
    expect(hub.asked.filter(ofWeights).length).toBe(1);
  });

  it('is fetched anew where its bytes are of something else', async () => {
    hub = await startHub(tinyFiles);
    const request = asking(hub);
    partial(request.cache, bytes(1000, 99));
    await fetchModel(request);
    expectWhole(request.cache);
    expect(hub.asked.filter(ofWeights).map(({ range }) => range)).toEqual(['bytes=1000-', undefined]);
  });

  it('is fetched anew where it is longer than the file', async () => {
    hub = await startHub(tinyFiles);
    const request = asking(hub);
    partial(request.cache, bytes(400_000));
    await fetchModel(request);
    expectWhole(request.cache);
  });

  it('may be whole already', async () => {
    hub = await startHub(tinyFiles);
    const request = asking(hub);
    partial(request.cache, weights);
    await fetchModel(request);
    expectWhole(request.cache);
    expect(hub.asked.filter(ofWeights)).toEqual([]);
  });
});

describe('wrong bytes', () => {
  it.each([
    ['of the same length', bytes(300_000, 5), /its hash is [0-9a-f]{64} instead of/],
    ['too many', bytes(300_001), /it has 300001 bytes instead of 300000/],
  ])('are refused and removed: %s', async (_, content, why) => {
    hub = await startHub(tinyFiles);
    hub.fault = (asked) => (ofWeights(asked) ? { body: content } : undefined);
    const request = asking(hub);
    const failed = fetchModel(request);
    await expect(failed).rejects.toMatchObject({ kind: 'wrong-content', problem: 'broken-download' });
    await expect(failed).rejects.toThrow(why);
    expect(readdirSync(blobs(request.cache)).filter((name) => name.startsWith(tag))).toEqual([]);
  });

  it('are noticed in small files too', async () => {
    hub = await startHub(tinyFiles);
    hub.fault = ({ method, path }) =>
      method === 'GET' && path.endsWith('/config.json') ? { body: '{"model_type":"lla_a"}' } : undefined;
    await expect(fetchModel(asking(hub))).rejects.toThrow(
      /^config.json of `org\/tiny` is damaged: its hash is [0-9a-f]{40} instead of/,
    );
  });
});
