import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeFileAtomically } from '../../src/runtime/store/atomic-file.ts';
import { StoreError, storeError } from '../../src/runtime/store/store-error.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

test('a write that fails leaves the old file and nothing else', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'deep/er/x.json');
  await writeFileAtomically(path, 'old');
  const failing = writeFileAtomically(path, async (file) => {
    await file.write('half of the new');
    throw new Error('killed');
  });
  await expect(failing).rejects.toThrow('killed');
  expect(await readFile(path, 'utf8')).toBe('old');
  expect(await readdir(join(directory, 'deep/er'))).toEqual(['x.json']);
  await writeFileAtomically(path, Buffer.from('new'));
  expect(await readFile(path, 'utf8')).toBe('new');
});

test.skipIf(!existsSync('/dev/full'))('no room on the disk is said in words', async () => {
  const path = join(temporaryDirectory(), 'model.safetensors');
  const full = writeFileAtomically(path, () => writeFile('/dev/full', 'x'));
  await expect(full).rejects.toMatchObject({
    name: 'StoreError',
    kind: 'disk-full',
    message: `no room left on the disk to write ${path}`,
  });
  expect(existsSync(path)).toBe(false);
});

test('errors of the system by their codes; others are left as they are', () => {
  const of = (code: string) => storeError(Object.assign(new Error(code), { code }), '/s/x') as StoreError;
  expect([of('ENOSPC').kind, of('EDQUOT').kind, of('EROFS').kind, of('EACCES').kind]).toEqual([
    ...['disk-full', 'disk-full', 'no-permission', 'no-permission'],
  ]);
  expect(of('EEXIST')).toMatchObject({
    kind: 'no-permission',
    message: '/s/x cannot be written: something is in the way (EEXIST)',
  });
  const made = storeError(Object.assign(new Error(), { code: 'ENOENT', syscall: 'mkdir' }), '/s/x');
  expect(made).toMatchObject({ kind: 'no-permission', message: 'the directory /s/x cannot be made' });
  expect(of('ENOENT')).not.toBeInstanceOf(StoreError);
  expect(storeError('text', '/s/x')).toBe('text');
});
