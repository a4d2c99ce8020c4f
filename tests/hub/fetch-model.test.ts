/** A model comes from a hub into the cache that Python shares. */
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fetchConfigFiles, fetchModel } from '../../src/runtime/hub/fetch-model.ts';
import { resolveRevision } from '../../src/runtime/hub/resolve-revision.ts';
import { COMMIT, type FakeHub, gitHash, sha256, startHub } from './fake-hub.ts';
import { asking, tinyFiles } from './tiny-files.ts';

let hub: FakeHub;
afterEach(() => hub.close());

describe('a model', () => {
  it('lies in the cache as Python lays it out', async () => {
    hub = await startHub(tinyFiles);
    const request = asking(hub);
    const { directory, commit } = await fetchModel(request);
    const repository = join(request.cache, 'models--org--tiny');
    expect(commit).toBe(COMMIT);
    expect(directory).toBe(join(repository, 'snapshots', COMMIT));
    expect(readFileSync(join(repository, 'refs/main'), 'utf8')).toBe(COMMIT);
    expect(readdirSync(directory).sort()).toEqual([
      'README.md',
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    const weights = Buffer.from(tinyFiles['model.safetensors']);
    expect(readlinkSync(join(directory, 'model.safetensors'))).toBe(`../../blobs/${sha256(weights)}`);
    const config = Buffer.from(tinyFiles['config.json']);
    expect(readlinkSync(join(directory, 'config.json'))).toBe(`../../blobs/${gitHash(config)}`);
    expect(readFileSync(join(directory, 'model.safetensors')).equals(weights)).toBe(true);
    expect(readdirSync(join(repository, 'blobs')).filter((name) => /\.(incomplete|tmp)/.test(name))).toEqual(
      [],
    );
    expect(existsSync(join(repository, '.no_exist', COMMIT, 'generation_config.json'))).toBe(true);
    expect(lstatSync(join(repository, 'blobs', sha256(weights))).size).toBe(300_000);
  });

  it('is fetched once', async () => {
    hub = await startHub(tinyFiles);
    const request = asking(hub);
    await fetchModel(request);
    hub.asked.length = 0;
    await fetchModel(request);
    expect(hub.asked.map(({ path }) => path)).toEqual(['/api/models/org/tiny/revision/main?blobs=true']);
  });

  it('is found where Python fetched it and nothing may be written', async () => {
    hub = await startHub(tinyFiles);
    const request = asking(hub);
    const { directory } = await fetchModel(request);
    const repository = join(request.cache, 'models--org--tiny');
    // Files where directories would be: nothing can be made inside, for root neither.
    for (const name of ['refs', '.no_exist']) {
      rmSync(join(repository, name), { recursive: true });
      writeFileSync(join(repository, name), '');
    }
    expect((await fetchModel(request)).directory).toBe(directory);
  });

  it('is planned from its small files', async () => {
    hub = await startHub(tinyFiles);
    const request = asking(hub);
    const { directory, missing } = await fetchConfigFiles(request);
    expect(missing).toEqual([{ file: 'model.safetensors', bytes: 300_000 }]);
    expect(existsSync(join(directory, 'tokenizer.json'))).toBe(true);
    expect(existsSync(join(directory, 'model.safetensors'))).toBe(false);
    await fetchModel(request);
    expect((await fetchConfigFiles(request)).missing).toEqual([]);
  });

  it('has a commit', async () => {
    hub = await startHub(tinyFiles);
    hub.revisions.set('refs/pr/3', 'f'.repeat(40));
    const { environment } = asking(hub);
    expect(await resolveRevision('org/tiny', undefined, environment)).toBe(COMMIT);
    expect(await resolveRevision('org/tiny', 'refs/pr/3', environment)).toBe('f'.repeat(40));
    hub.asked.length = 0;
    expect(await resolveRevision('org/tiny', COMMIT, environment)).toBe(COMMIT);
    expect(hub.asked).toEqual([]);
  });
});
