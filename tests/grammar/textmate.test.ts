/** The committed TextMate grammar is the one the words of the language make, and gives each word its colour. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type TextMateRule, textMateGrammar } from '../../grammar/textmate.ts';
import { pipelineLexer } from '../../grammar/tokens.ts';
import { colour, scopeAt } from './colour.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

it('is what `npm run grammar` writes', async () => {
  await expect(`${JSON.stringify(textMateGrammar, null, 2)}\n`).toMatchFileSnapshot(
    '../../grammar/ftp.tmLanguage.json',
  );
});

it('has expressions that compile, hold no halves of characters and have a group for every capture', () => {
  const visit = (rule: TextMateRule): void => {
    for (const source of [rule.match, rule.begin, rule.end]) {
      if (source === undefined) continue;
      expect(source).not.toMatch(/\\uD[89A-F]|\\p\{/i);
      const groups = new RegExp(`${source}|`, 'u').exec('')!.length - 1;
      if (rule.captures) expect(Object.keys(rule.captures)).toHaveLength(groups);
    }
    rule.patterns?.forEach(visit);
  };
  textMateGrammar.patterns.forEach(visit);
});

/** What a word may be coloured as; names differ by what stands around them. */
const scopes: { readonly [token: string]: RegExp } = {
  Identifier: /^(entity\.name\.|variable\.|storage\.type)/,
  Quantity: /^(constant\.numeric)/,
  Text: /^string\.quoted\.double/,
  RawText: /^string\.quoted\.single/,
  BlockString: /^string\.quoted\.triple/,
  Variable: /^variable\.other\.readwrite/,
  Arrow: /^keyword\.operator\.arrow/,
  Comparison: /^keyword\.operator\.comparison/,
  Equals: /^keyword\.operator\.assignment/,
  Comma: /^punctuation\.separator\.comma/,
  Semicolon: /^punctuation\.separator\.semicolon/,
  Colon: /^punctuation\.separator\.label/,
  LeftParen: /^punctuation\.section\.arguments\.begin/,
  RightParen: /^punctuation\.section\.arguments\.end/,
  LeftBracket: /^punctuation\.section\.list\.begin/,
  RightBracket: /^punctuation\.section\.list\.end/,
  LeftBrace: /^punctuation\.section\.block\.begin/,
  RightBrace: /^punctuation\.section\.block\.end/,
  Dot: /^punctuation\.accessor/,
  Slash: /^punctuation\.accessor/,
  Star: /^keyword\.operator\.wildcard/,
};
const keyword = /^(keyword\.(declaration|control\.import)|entity\.name\.|variable\.)/;

/** Words whose colour is not that of their kind, and where a word's end has another colour than its start. */
function wrong(text: string): string[] {
  const pieces = colour(textMateGrammar, text);
  const { tokens, groups } = pipelineLexer.tokenize(text);
  const of = (offset: number) => scopeAt(pieces, offset) ?? 'nothing';
  return [
    ...tokens.flatMap(({ tokenType, image, startOffset }) => {
      const first = of(startOffset);
      return (scopes[tokenType.name] ?? keyword).test(first)
        ? []
        : [`${image} (${tokenType.name}): ${first}`];
    }),
    ...(groups.comments ?? []).flatMap(({ image, startOffset, endOffset }) =>
      [startOffset, endOffset!].every((at) => of(at).startsWith('comment.line')) ? [] : [image],
    ),
  ];
}

describe('words are coloured as what they are', () => {
  const pipelines = readdirSync(`${root}pipelines`).filter((name) => name.endsWith('.ftp'));
  it.each(pipelines)('in pipelines/%s', (name) => {
    expect(wrong(readFileSync(`${root}pipelines/${name}`, 'utf8'))).toEqual([]);
  });

  const golden = `${root}tests/compiler/golden/`;
  const sources = ['medical', 'full-width-punctuation', 'imports', 'interpolation', 'pipelines-in-pipelines'];
  it.each(sources)('in the source of the golden case %s', (name) => {
    const [source] = readFileSync(`${golden}${name}.txt`, 'utf8').split(/^={3,}$/m);
    expect(source!.length).toBeGreaterThan(40);
    expect(wrong(source!)).toEqual([]);
  });
});

describe('a name is coloured by what stands around it', () => {
  const text = `# 中文 comment
use "lib.ftp" as lib
param seed: int = 42
data 问诊 = jsonl("a-\${seed}\\n.jsonl") → split(test=10% by=x)
pretrain(model=llama(layers=4) tokens=1..2M epochs = 3 epochs seed=$seed)
  → 快: eval（data=问诊，𠀀）→ rm → gate(快.loss <= -.5e-3)
profile p { *.max_steps = 5; data.lr=2e-4 }
template chat = """
{{ m }} "quoted" # no comment
"""`;
  const pieces = colour(textMateGrammar, text);
  it.each([
    ['# 中文', 'comment.line.number-sign'],
    ['use "', 'keyword.control.import'],
    ['as lib', 'keyword.control.import'],
    ['lib\n', 'entity.name.namespace'],
    ['param', 'keyword.declaration'],
    ['seed: int', 'entity.name.type'],
    ['int', 'storage.type'],
    ['42', 'constant.numeric'],
    ['问诊 =', 'entity.name.type'],
    ['jsonl("', 'entity.name.function'],
    ['a-$', 'string.quoted.double'],
    ['${seed', 'punctuation.section.interpolation.begin'],
    ['seed}', 'variable.other'],
    ['\\n', 'constant.character.escape'],
    ['split(', 'entity.name.function'],
    ['test=', 'variable.parameter'],
    ['10', 'constant.numeric'],
    ['% by', 'keyword.other.unit'],
    ['pretrain(', 'entity.name.function'],
    ['1..2', 'constant.numeric'],
    ['M epochs', 'keyword.other.unit'],
    ['epochs = 3', 'variable.parameter'],
    [' epochs seed', 'keyword.other.unit'],
    ['$seed)', 'variable.other.readwrite'],
    ['快: ', 'entity.name.label'],
    ['eval（', 'entity.name.function'],
    ['（', 'punctuation.section.arguments.begin'],
    ['，', 'punctuation.separator.comma'],
    ['𠀀', 'variable.other'],
    ['rm →', 'entity.name.function'],
    ['快.loss', 'variable.other'],
    ['<=', 'keyword.operator.comparison'],
    ['-.5e-3', 'constant.numeric'],
    ['p {', 'entity.name.type'],
    ['*.max', 'keyword.operator.wildcard'],
    ['max_steps', 'variable.parameter'],
    ['data.lr', 'variable.other'],
    ['# no comment', 'string.quoted.triple'],
    ['"quoted"', 'string.quoted.triple'],
  ])('%s is %s', (words, scope) => {
    const at = text.indexOf(words);
    expect(at).toBeGreaterThanOrEqual(0);
    expect(scopeAt(pieces, at)).toBe(scope);
  });
});
