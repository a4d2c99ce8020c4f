/** Models in several files, revisions that move, and several who want the same. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fetchConfigFiles, fetchModel } from '../../src/runtime/hub/fetch-model.ts';
import type { HubProgress } from '../../src/runtime/hub/progress.ts';
import { resolveRevision } from '../../src/runtime/hub/resolve-revision.ts';
import { COMMIT, type FakeHub, sha256, startHub } from './fake-hub.ts';
import { asking, bytes, tinyFiles } from './tiny-files.ts';

let hub: FakeHub;
afterEach(() => hub.close());

const { 'model.safetensors': whole, ...small } = tinyFiles;
const index = (...shards: string[]): string =>
  JSON.stringify({ weight_map: Object.fromEntries(shards.map((shard, i) => [`tensor.${i}`, shard])) });
const sharded = {
  ...small,
  'model.safetensors.index.json': index('model-1-of-2.safetensors', 'model-2-of-2.safetensors'),
  'model-1-of-2.safetensors': bytes(200_000, 2),
  'model-2-of-2.safetensors': bytes(100_000, 3),
  'consolidated.safetensors': bytes(10),
};

describe('shards', () => {
  it('are those of the index', async () => {
    hub = await startHub(sharded);
    const request = asking(hub);
    const { missing } = await fetchConfigFiles(request);
    expect(missing).toEqual([
      { file: 'model-1-of-2.safetensors', bytes: 200_000 },
      { file: 'model-2-of-2.safetensors', bytes: 100_000 },
    ]);
    const { directory } = await fetchModel(request);
    const files = readdirSync(directory).filter((file) => file.endsWith('.safetensors'));
    expect(files).toEqual(['model-1-of-2.safetensors', 'model-2-of-2.safetensors']);
    const environment = { ...request.environment, HF_HUB_OFFLINE: '1' };
    expect((await fetchModel({ ...request, environment })).directory).toBe(directory);
  });

  it.each([
    ['leads out', index('../../x.safetensors'), 'leads out of its directory'],
    ['names a pickle', index('pytorch_model.bin'), 'does not say which safetensors files'],
    ['is no index', '[1, 2]', 'does not say which safetensors files'],
    ['is not JSON', '{', 'does not say which safetensors files'],
    ['names what is not there', index('gone.safetensors'), 'has no gone.safetensors, which its index'],
  ])('are refused where the index %s', async (_, text, why) => {
    hub = await startHub({ ...sharded, 'model.safetensors.index.json': text });
    await expect(fetchModel(asking(hub))).rejects.toThrow(why);
    expect(hub.asked.some(({ server }) => server === 'cdn')).toBe(false);
  });
});

describe('files in directories', () => {
  it('are links that find their blobs', async () => {
    const name = 'additional_chat_templates/tool_use.jinja';
    hub = await startHub({ ...tinyFiles, [name]: '{{ tools }}' });
    const { directory } = await fetchModel(asking(hub));
    expect(readFileSync(join(directory, name), 'utf8')).toBe('{{ tools }}');
  });
});

describe('progress', () => {
  it('grows until everything is there', async () => {
    hub = await startHub(sharded);
    const seen: HubProgress[] = [];
    await fetchModel(asking(hub, { onProgress: (progress) => seen.push(progress) }));
    const total =
      300_000 + [...Object.values(small), sharded['model.safetensors.index.json']].join('').length;
    // pytorch_model.bin and onnx/model.onnx are not fetched.
    const bytesOfAll = total - small['pytorch_model.bin'].length - small['onnx/model.onnx'].length;
    expect(seen.at(-1)).toEqual({ files: 7, filesDone: 7, bytes: bytesOfAll, totalBytes: bytesOfAll });
    const counts = seen.map((p) => p.bytes);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
  });
});

describe('a revision', () => {
  it('that moved is fetched again, and what has not changed is not', async () => {
    hub = await startHub(tinyFiles);
    const request = asking(hub);
    await fetchModel(request);
    const next = 'e'.repeat(40);
    hub.revisions.set('main', next);
    hub.files.set('tokenizer_config.json', Buffer.from('{"chat_template":"x"}'));
    hub.asked.length = 0;
    const { directory, commit } = await fetchModel(request);
    expect(commit).toBe(next);
    expect(readFileSync(join(directory, 'tokenizer_config.json'), 'utf8')).toBe('{"chat_template":"x"}');
    const fetched = hub.asked.filter(({ method, path }) => method === 'GET' && !path.startsWith('/api'));
    expect(fetched.map(({ path }) => path)).toEqual([`/org/tiny/resolve/${next}/tokenizer_config.json`]);
  });

  it('is remembered when its model is here, not before', async () => {
    hub = await startHub(tinyFiles);
    const request = asking(hub);
    await fetchModel(request);
    hub.revisions.set('main', 'e'.repeat(40));
    await fetchConfigFiles(request);
    const offline = { ...request.environment, HF_HUB_OFFLINE: '1' };
    expect(await resolveRevision('org/tiny', 'main', offline)).toBe(COMMIT);
    await fetchModel({ ...request, revision: 'main', commit: 'e'.repeat(40) });
    expect(await resolveRevision('org/tiny', 'main', offline)).toBe('e'.repeat(40));
  });
});

describe('several who want the same model', () => {
  const slowly = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

  it('fetch it once', async () => {
    hub = await startHub({ ...tinyFiles, 'model.safetensors': bytes(3_000_000) });
    const request = asking(hub, { pause: slowly });
    const all = await Promise.all([fetchModel(request), fetchModel(request), fetchModel(request)]);
    expect(new Set(all.map(({ directory }) => directory)).size).toBe(1);
    expect(hub.asked.filter(({ server }) => server === 'cdn').length).toBe(1);
    const blobs = join(request.cache, 'models--org--tiny/blobs');
    expect(sha256(readFileSync(join(all[0].directory, 'model.safetensors')))).toBe(sha256(bytes(3_000_000)));
    expect(readdirSync(blobs).length).toBe(5);
  });

  it('do not wait for one that died', async () => {
    hub = await startHub(tinyFiles);
    const request = asking(hub, { pause: slowly });
    const lock = join(request.cache, '.locks/models--org--tiny', `${sha256(whole)}.ftc`);
    mkdirSync(lock, { recursive: true });
    // No process has this number: it is above the largest that Linux gives.
    const owner = { pid: 2 ** 22 + 1, began: '1', since: '2026-01-01T00:00:00Z' };
    writeFileSync(
      join(lock, 'lock'),
      JSON.stringify({ ...owner, host: (await import('node:os')).hostname() }),
    );
    const { directory } = await fetchModel(request);
    expect(readFileSync(join(directory, 'model.safetensors')).length).toBe(300_000);
  });
});
