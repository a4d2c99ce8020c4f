import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface LockedPackage {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(
  readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'),
) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};

/** Where node would look for `name` from the package at `path`, nearest first. */
function places(path: string, name: string): string[] {
  const found = [`${path === '' ? '' : `${path}/`}node_modules/${name}`];
  for (let at = path.lastIndexOf('/node_modules/'); at >= 0; at = path.lastIndexOf('/node_modules/', at - 1))
    found.push(`${path.slice(0, at)}/node_modules/${name}`);
  return [...found, `node_modules/${name}`];
}

describe('package-lock.json', () => {
  it('locks what every package needs on every platform (npm ci refuses to install otherwise)', () => {
    const missing: string[] = [];
    let looked = 0;
    for (const [path, locked] of Object.entries(packages))
      for (const name of Object.keys({ ...locked.dependencies, ...locked.optionalDependencies })) {
        looked += 1;
        if (!places(path, name).some((place) => packages[place]?.version !== undefined))
          missing.push(`${path} → ${name}`);
      }
    expect(missing).toEqual([]);
    expect(looked).toBeGreaterThan(100);
  });
});
