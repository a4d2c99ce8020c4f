/** What a hub may say instead of a file, and what the user is told. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fetchModel } from '../../src/runtime/hub/fetch-model.ts';
import { HubError } from '../../src/runtime/hub/hub-error.ts';
import { resolveRevision } from '../../src/runtime/hub/resolve-revision.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { type FakeHub, type Fault, startHub } from './fake-hub.ts';
import { asking, tinyFiles } from './tiny-files.ts';

let hub: FakeHub;
afterEach(() => hub.close());

async function refusal(run: () => Promise<unknown>): Promise<HubError> {
  try {
    await run();
  } catch (error) {
    expect(error).toBeInstanceOf(HubError);
    return error as HubError;
  }
  throw new Error('nothing was refused');
}

/** These answers to the first questions, one after another. */
async function answering(...faults: Fault[]): Promise<FakeHub> {
  hub = await startHub(tinyFiles);
  hub.fault = () => faults.shift();
  return hub;
}

describe('a hub that refuses', () => {
  it('knows no such repository', async () => {
    await answering();
    const error = await refusal(() => fetchModel(asking(hub, { repository: 'org/tini' })));
    expect(error.kind).toBe('no-repository');
    expect(error.message).toBe(`${new URL(hub.endpoint).host} has no \`org/tini\`, or it is private`);
    expect(error.help).toEqual([
      'did you mean `org/tiny`?',
      'if it is private, set HF_TOKEN to a token that may read it',
    ]);
    expect(hub.asked.length).toBe(2);
  });

  it('knows no such revision, but one like it', async () => {
    await answering();
    const error = await refusal(() => fetchModel(asking(hub, { revision: 'mian' })));
    expect(error.kind).toBe('no-revision');
    expect(error.message).toBe('`org/tiny` has no revision `mian`');
    expect(error.help).toEqual(['did you mean `main`?']);
  });

  it('may be the only one to know what it has', async () => {
    hub = await startHub(tinyFiles);
    hub.fault = ({ path }) => (path.includes('author=') ? { status: 500 } : undefined);
    const error = await refusal(() => fetchModel(asking(hub, { repository: 'org/tini' })));
    expect(error.kind).toBe('no-repository');
    expect(error.help.length).toBe(1);
  });

  it('sends on to the new name of a repository', async () => {
    hub = await startHub(tinyFiles);
    hub.fault = ({ server, path }) =>
      server === 'hub' && path.includes('old/name')
        ? { status: 307, headers: { location: path.replace('old/name', 'org/tiny') } }
        : undefined;
    const request = asking(hub, { repository: 'old/name', variables: { HF_TOKEN: 'hf_secret' } });
    const { directory } = await fetchModel(request);
    expect(directory).toContain('models--old--name');
    expect(readdirSync(directory).length).toBe(5);
  });

  it('wants its conditions accepted', async () => {
    await answering({ status: 403, headers: { 'x-error-code': 'GatedRepo' } });
    const error = await refusal(() => fetchModel(asking(hub)));
    expect(error.kind).toBe('gated');
    expect(error.problem).toBe('no-hub-access');
    expect(error.help).toEqual([
      `accept them at ${hub.endpoint}/org/tiny`,
      'then set HF_TOKEN to a token of that account',
    ]);
  });

  it('does not know the token, which is not shown', async () => {
    await answering({ status: 401, headers: { 'x-error-message': 'Invalid credentials' } });
    const error = await refusal(() => fetchModel(asking(hub, { variables: { HF_TOKEN: 'hf_secret' } })));
    expect(error.kind).toBe('no-access');
    expect(JSON.stringify([error.message, error.notes, error.help])).not.toContain('hf_secret');
  });

  it('forbids', async () => {
    await answering({ status: 403, headers: { 'x-error-message': 'Not in this region' } });
    const error = await refusal(() => fetchModel(asking(hub)));
    expect(error.kind).toBe('no-access');
    expect(error.notes).toEqual(['the hub says: Not in this region']);
  });

  it.each([
    ['in seconds', { 'retry-after': '7' }, 7000],
    ['in its own header', { ratelimit: '"api";r=0;t=55' }, 55_000],
  ])('wants a pause, %s', async (_, headers, pause) => {
    await answering({ status: 429, headers });
    const request = asking(hub);
    await fetchModel(request);
    expect(request.pauses).toEqual([pause]);
  });

  it('wants a longer pause than anybody waits', async () => {
    await answering({ status: 429, headers: { 'retry-after': '3600' } });
    const request = asking(hub);
    expect((await refusal(() => fetchModel(request))).kind).toBe('too-many-requests');
    expect(request.pauses).toEqual([]);
  });

  it('has a fault of its own for a while', async () => {
    await answering({ status: 503 }, { status: 500 });
    const request = asking(hub);
    await fetchModel(request);
    expect(request.pauses.map((p) => Math.floor(Math.log2(p / 1000)))).toEqual([0, 1]);
  });

  it('has a fault of its own for long', async () => {
    hub = await startHub(tinyFiles);
    hub.fault = () => ({ status: 502 });
    const error = await refusal(() => fetchModel(asking(hub)));
    expect(error.kind).toBe('unreachable');
    expect(error.message).toContain('it has a fault of its own (status 502)');
    expect(hub.asked.length).toBe(5);
  });

  it('is no hub', async () => {
    await answering({ body: '<html>please log in</html>' });
    expect((await refusal(() => fetchModel(asking(hub)))).message).toContain('something else than JSON');
    await hub.close();
    await answering({ body: '{}' });
    expect((await refusal(() => fetchModel(asking(hub)))).message).toContain('names no commit');
    await hub.close();
    await answering({ status: 302, headers: { location: '/somewhere' } }, { status: 418 });
    expect((await refusal(() => fetchModel(asking(hub)))).kind).toBe('bad-answer');
    await hub.close();
    hub = await startHub(tinyFiles);
    hub.fault = () => ({ status: 302, headers: { location: '/again' } });
    expect((await refusal(() => fetchModel(asking(hub)))).message).toContain('without an end');
  });

  it('has no weights that are safe to open', async () => {
    const { 'model.safetensors': _, ...files } = tinyFiles;
    hub = await startHub(files);
    const error = await refusal(() => fetchModel(asking(hub)));
    expect(error.message).toBe('`org/tiny` has no weights in safetensors (revision main)');
    expect(error.notes).toEqual(['it has pytorch_model.bin, a format that can run code when it is opened']);
    expect(hub.asked.some(({ path }) => path.endsWith('.bin'))).toBe(false);
  });

  it('has no model at all', async () => {
    hub = await startHub({ 'tiny.gguf': 'GGUF' });
    const error = await refusal(() => fetchModel(asking(hub)));
    expect(error.message).toBe('`org/tiny` has no config.json (revision main)');
    expect(error.notes).toEqual(['it has: tiny.gguf']);
  });
});

describe('names', () => {
  it.each(['../etc', 'a/b/c', '/org/x', 'org/..', 'org/x--y', '-org/x', 'org/x.git', '', 'org/ x', 'org\\x'])(
    'of repositories: not %j',
    async (repository) => {
      hub = await startHub(tinyFiles);
      expect((await refusal(() => fetchModel(asking(hub, { repository })))).kind).toBe('bad-name');
      expect(hub.asked).toEqual([]);
    },
  );

  it.each(['../main', '/main', 'a//b', 'a b', 'a\u0000b', 'a..\\b', '', 'x?y', 'a/../b'])(
    'of revisions: not %j',
    async (revision) => {
      hub = await startHub(tinyFiles);
      expect((await refusal(() => resolveRevision('org/tiny', revision))).kind).toBe('bad-name');
    },
  );

  it.each(['../../escape.json', '/etc/passwd', 'a\\..\\b', 'C:/x', 'x/./y', 'nul\u0000'])(
    'of files that a hub sends: not %j',
    async (file) => {
      hub = await startHub({ ...tinyFiles, [file]: 'x' });
      const error = await refusal(() => fetchModel(asking(hub)));
      expect(error.kind).toBe('bad-answer');
      expect(error.message).toContain('leads out of its directory');
      expect(hub.asked.length).toBe(1);
    },
  );

  it.each(['../../../x', '..', '.hidden/../x', 'a/b'])('of blobs: not %j', async (tag) => {
    hub = await startHub(tinyFiles);
    hub.fault = ({ method }) =>
      method === 'HEAD' ? { status: 200, headers: { etag: `"${tag}"` } } : undefined;
    expect((await refusal(() => fetchModel(asking(hub)))).message).toContain('does not say which bytes');
  });

  it('of commits: nothing but a hash', async () => {
    await answering({ body: '{"sha":"../../../../x","siblings":[]}' });
    expect((await refusal(() => fetchModel(asking(hub)))).message).toContain('names no commit');
  });
});

describe('a disk', () => {
  it('without room is noticed before the first byte', async () => {
    hub = await startHub(tinyFiles);
    hub.fault = ({ method, path }) =>
      method === 'HEAD' && path.endsWith('model.safetensors')
        ? { headers: { 'x-linked-size': '900000000000000' } }
        : undefined;
    const error = await refusal(() => fetchModel(asking(hub)));
    expect(error.kind).toBe('disk-full');
    expect(error.message).toMatch(/^9\.00e\+5 GB are to be fetched/);
    expect(hub.asked.some(({ server }) => server === 'cdn')).toBe(false);
  });

  it('may not be written', async () => {
    hub = await startHub(tinyFiles);
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    const error = await refusal(() => fetchModel(asking(hub, { variables: { HF_HUB_CACHE: file } })));
    expect(error.kind).toBe('not-writable');
  });
});
