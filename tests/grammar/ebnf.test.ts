/** The page of the grammar is made from the parser's rules, and its examples are what they are said to be. */
import { expect, it } from 'vitest';
import { grammarPage } from '../../grammar/ebnf.ts';
import { pipelineLexer } from '../../grammar/tokens.ts';

it('is what `npm run grammar` writes', async () => {
  await expect(grammarPage()).toMatchFileSnapshot('../../grammar/grammar.md');
});

it('defines each rule once, and every rule that it names', () => {
  const rules = grammarPage()
    .split('\n')
    .flatMap((line) =>
      [...line.matchAll(/^(\w+) += (.+) ;$/g)].map(([, name, body]) => ({ name, body: body! })),
    );
  const names = rules.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThan(20);
  for (const { name, body } of rules) {
    const used = body.replace(/"[^"]*"/g, '').match(/\b[a-z]\w*/g) ?? [];
    expect([name, used.filter((one) => !names.includes(one))]).toEqual([name, []]);
  }
  expect(rules.find(({ name }) => name === 'chain')?.body).toBe('step { "→" step }');
});

it('gives examples that read as one word of their kind', () => {
  const rows = [...grammarPage().matchAll(/^\| ([A-Z]\w+) \| .+ \| (`.+`) \|$/gm)];
  expect(rows).toHaveLength(7);
  for (const [, name, examples] of rows) {
    for (const [, example] of examples!.matchAll(/`([^`]+)`/g)) {
      const kinds = pipelineLexer.tokenize(example!).tokens.map(({ tokenType }) => tokenType.name);
      expect([example, kinds]).toEqual([example, [name]]);
    }
  }
});
