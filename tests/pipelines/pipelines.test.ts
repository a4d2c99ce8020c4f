import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { format } from '../../src/compiler/format.ts';
import { compilePipeline } from './compile-pipeline.ts';
import { filesUnder, generate, pipelines } from './generated.ts';

const files = readdirSync(pipelines).filter((name) => name.endsWith('.ftp'));
const textOf = (file: string) => readFileSync(join(pipelines, file), 'utf8');
const stagesOf = (file: string, profile?: string) =>
  compilePipeline(file, profile).graph?.jobs.map(({ id, kind }) => (id === kind ? id : `${id}: ${kind}`));

describe('the pipelines', () => {
  it('are all here', () => {
    expect(files.sort()).toEqual(['adapt.ftp', 'medical.ftp', 'quickstart.ftp', 'tinylang.ftp']);
  });

  it.each(files)('%s compiles without a diagnostic, with every profile', (file) => {
    const profiles = [...textOf(file).matchAll(/^profile (\S+)/gm)].map((match) => match[1]!);
    const names = [...textOf(file).matchAll(/^pipeline (\S+)/gm)].map((match) => match[1]!);
    for (const profile of [undefined, ...profiles])
      for (const name of names.length > 1 ? names : [undefined]) {
        const { diagnostics, graph } = compilePipeline(file, profile, name);
        expect(diagnostics).toEqual([]);
        expect(graph).toBeDefined();
      }
  });

  it.each(files)('%s is formatted', (file) => {
    expect(format({ path: file, text: textOf(file) }).text).toBe(textOf(file));
  });

  it('quickstart is the line of the first day', () => {
    const code = textOf('quickstart.ftp')
      .split('\n')
      .filter((line) => !line.startsWith('#'));
    expect(code).toEqual(['pretrain → sft(lora r=8 targets=q,v) → rm → ppo', '']);
    expect(stagesOf('quickstart.ftp')).toEqual(['pretrain', 'sft', 'rm', 'ppo']);
  });

  it('medical asks before and after, and says that it is invented', () => {
    expect(stagesOf('medical.ftp')).toEqual([
      'pretrain',
      'before: eval',
      'sft',
      'quick: eval',
      'gate',
      'rm',
      'ppo',
      'after: eval',
      'export',
    ]);
    expect(textOf('medical.ftp')).toMatch(/SYNTHETIC[\s\S]*not[\s\S]*medical advice/i);
    const smoke = compilePipeline('medical.ftp', 'smoke').graph!.jobs;
    const full = compilePipeline('medical.ftp').graph!.jobs;
    expect(smoke[0]!.options.tokens).toBeLessThan(Number(full[0]!.options.tokens));
  });
});

describe('the data', () => {
  it.each(['data', 'medical', 'tinylang'])('of %s is what its script writes, byte for byte', (name) => {
    const folder = generate(name);
    const written = filesUnder(folder);
    const committed = filesUnder(join(pipelines, name)).filter(
      (path) => !path.endsWith('.mjs') && path !== 'facts.csv',
    );
    expect(written).toEqual(committed);
    for (const path of written) {
      const same = readFileSync(join(folder, path)).equals(readFileSync(join(pipelines, name, path)));
      expect(same, path).toBe(true);
    }
  });
});
