/** The environment variables that Python's huggingface_hub reads. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fetchConfigFiles, fetchModel } from '../../src/runtime/hub/fetch-model.ts';
import { hubSettings } from '../../src/runtime/hub/hub-settings.ts';
import { resolveRevision } from '../../src/runtime/hub/resolve-revision.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { COMMIT, type FakeHub, startHub } from './fake-hub.ts';
import { asking, tinyFiles } from './tiny-files.ts';

let hub: FakeHub | undefined;
afterEach(async () => {
  await hub?.close();
  hub = undefined;
});

describe('the cache', () => {
  it.each([
    [{}, '/home/me/.cache/huggingface/hub'],
    [{ XDG_CACHE_HOME: '/x' }, '/x/huggingface/hub'],
    [{ HF_HOME: '~/hf', XDG_CACHE_HOME: '/x' }, '/home/me/hf/hub'],
    [{ HF_HOME: '$BIG/hf', BIG: '/big' }, '/big/hf/hub'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as a shell writes it
    [{ HF_HUB_CACHE: '${BIG}/c', HF_HOME: '/hf', BIG: '/big' }, '/big/c'],
    [{ HUGGINGFACE_HUB_CACHE: '/old', HF_HOME: '/hf' }, '/old'],
    [{ HF_HUB_CACHE: '/new', HUGGINGFACE_HUB_CACHE: '/old' }, '/new'],
  ])('%j', (environment, expected) => {
    expect(hubSettings({ HOME: '/home/me', ...environment }).cache).toBe(expected);
  });
});

describe('the token', () => {
  const home = temporaryDirectory({ 'hf/token': 'hf_file\n', other: 'hf_other' });
  it.each([
    [{}, undefined],
    [{ HF_HOME: join(home, 'hf') }, 'hf_file'],
    [{ HF_TOKEN_PATH: join(home, 'other'), HF_HOME: join(home, 'hf') }, 'hf_other'],
    [{ HF_TOKEN: ' hf_variable\n', HF_HOME: join(home, 'hf') }, 'hf_variable'],
    [{ HUGGING_FACE_HUB_TOKEN: 'hf_old' }, 'hf_old'],
    [{ HF_TOKEN: 'hf_variable', HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }, undefined],
  ])('%j', (environment, expected) => {
    expect(hubSettings({ HOME: '/nowhere', ...environment }).token).toBe(expected);
  });

  it('of other characters is refused without being shown', () => {
    expect(() => hubSettings({ HF_TOKEN: 'hf_a b' })).toThrow(/^the hub’s token holds characters/);
  });

  it('is sent to the hub, and not to where its redirects lead', async () => {
    hub = await startHub(tinyFiles);
    await fetchModel(asking(hub, { variables: { HF_TOKEN: 'hf_secret' } }));
    const of = (server: string) => hub!.asked.filter((a) => a.server === server);
    expect(of('hub').every(({ authorization }) => authorization === 'Bearer hf_secret')).toBe(true);
    expect(of('cdn').length).toBe(1);
    expect(of('cdn').every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it('does not follow a question for names to another host', async () => {
    hub = await startHub(tinyFiles);
    const elsewhere = `${hub.cdn}/api`;
    hub.fault = ({ server }) =>
      server === 'hub' ? { status: 307, headers: { location: elsewhere } } : undefined;
    await expect(fetchModel(asking(hub, { variables: { HF_TOKEN: 'hf_secret' } }))).rejects.toMatchObject({
      kind: 'bad-answer',
    });
    expect(hub.asked.filter(({ server }) => server === 'cdn')).toEqual([]);
  });
});

describe('offline', () => {
  it.each(['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'])(
    '%s: the cache serves, nobody is asked',
    async (name) => {
      hub = await startHub(tinyFiles);
      const request = asking(hub);
      const { directory } = await fetchModel(request);
      hub.asked.length = 0;
      const environment = { ...request.environment, [name]: 'yes' };
      expect(await fetchModel({ ...request, environment })).toEqual({ directory, commit: COMMIT });
      expect(await resolveRevision('org/tiny', 'main', environment)).toBe(COMMIT);
      expect(hub.asked).toEqual([]);
    },
  );

  it('says what the cache lacks', async () => {
    hub = await startHub(tinyFiles);
    const request = asking(hub);
    const environment = { ...request.environment, HF_HUB_OFFLINE: '1' };
    await expect(fetchModel({ ...request, environment })).rejects.toThrow(
      '`org/tiny` (revision main) is not in the cache, and ftc is asked to stay offline',
    );
    await fetchConfigFiles(request);
    expect((await fetchConfigFiles({ ...request, environment })).commit).toBe(COMMIT);
    await expect(fetchModel({ ...request, environment })).rejects.toMatchObject({
      kind: 'not-cached',
      message: 'model.safetensors of `org/tiny` is not in the cache, and ftc is asked to stay offline',
    });
    expect(hub.asked.every(({ path }) => !path.includes('model.safetensors'))).toBe(true);
  });

  it('a hub that cannot be reached is like one', async () => {
    hub = await startHub(tinyFiles);
    const request = asking(hub);
    const { directory } = await fetchModel(request);
    await hub.close();
    expect((await fetchModel(request)).directory).toBe(directory);
    expect(request.pauses).toEqual([]);
    rmSync(join(directory, 'model.safetensors'));
    await expect(fetchModel(request)).rejects.toMatchObject({ kind: 'unreachable' });
    expect(request.pauses.length).toBe(4);
    hub = undefined;
  });
});
