/** Every example in the docs is a program that checks, where it stands in the docs or after the stages that it needs. */
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/compiler/compile.ts';
import { catalog } from '../../src/runtime/catalog.ts';

/** `*` is where the example goes. */
const around: Readonly<Record<string, string>> = {
  sft: 'pretrain → *',
  rm: 'pretrain → *',
  eval: 'pretrain → *',
  export: 'pretrain → *',
  ppo: 'pretrain → rm → *',
  gate: 'pretrain → quick: eval → *',
  mix: 'data notes = text("a.txt")\ndata consult = text("b.txt")\n*\npretrain',
};

const { stages, methods, optimizers, models, sources, operators } = catalog;
const kinds = { stages, methods, optimizers, models, sources, operators };

describe.each(Object.entries(kinds))('%s', (kind, entries) => {
  test.each(Object.entries(entries))('%s', (name, { example }) => {
    const items = kind === 'sources' || kind === 'operators' ? '*\npretrain' : '*';
    const text = (around[name] ?? items).replace('*', () => example);
    const { diagnostics } = compile({ path: '/examples/a.ftp', text }, { catalog });
    expect(diagnostics.map((found) => found.name)).toEqual([]);
    expect(example).toContain(name);
  });
});
