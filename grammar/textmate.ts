/** The grammar by which editors colour `.ftp` files (TextMate: VS Code, Sublime Text, GitHub), made from the words of the language. */
import type { TokenType } from 'chevrotain';
import { astral, namePart, nameStart } from './characters.ts';
import * as t from './tokens.ts';

export interface TextMateRule {
  readonly name?: string;
  readonly match?: string;
  readonly begin?: string;
  readonly end?: string;
  readonly captures?: Captures;
  readonly beginCaptures?: Captures;
  readonly endCaptures?: Captures;
  readonly patterns?: readonly TextMateRule[];
}

type Captures = { readonly [group: string]: { readonly name: string } };

export interface TextMateGrammar {
  readonly scopeName: string;
  readonly name: string;
  readonly fileTypes: readonly string[];
  readonly patterns: readonly TextMateRule[];
}

/** As Oniguruma (editors) and RegExp with the flag `u` both read it: whole characters for halves, no bare closing bracket. */
const portable = (source: string): string =>
  source.replaceAll(astral, '[\u{20000}-\u{323ff}]').replace(/^[\]}]$/, '\\$&');
const patternOf = ({ PATTERN }: TokenType): string => portable((PATTERN as RegExp).source);

const blank = '[ \\t]*';
const name = portable(`${nameStart}(?:-?${namePart})*`);
const endOfName = portable(`(?!-?${namePart})`);
const [arrow, colon, equals, open] = [t.Arrow, t.Colon, t.Equals, t.LeftParen].map(patternOf);
const keywords = t.itemKeywords.map(patternOf).join('|');

const scoped = (scopes: readonly string[]): Captures =>
  Object.fromEntries(scopes.map((scope, i) => [i + 1, { name: `${scope}.ftp` }]));
/** Its groups have the scopes, in order. */
const rule = (match: string, ...scopes: readonly string[]): TextMateRule => ({
  match,
  captures: scoped(scopes),
});
const word = (type: TokenType, scope: string): TextMateRule => ({
  name: `${scope}.ftp`,
  match: patternOf(type),
});

const comments = word(t.Comment, 'comment.line.number-sign');

const quotes = (scope: string, mark: string, patterns: readonly TextMateRule[] = []): TextMateRule => ({
  name: `string.quoted.${scope}.ftp`,
  begin: mark,
  // A string of one line that is not closed ends with its line.
  end: mark.length > 1 ? mark : `${mark}|$`,
  patterns,
});

const strings = [
  quotes('triple', '"""'),
  quotes('double', '"', [
    { name: 'constant.character.escape.ftp', match: '\\\\(?:u\\{[0-9A-Fa-f]{1,6}\\}|[ntr"\\\\$])' },
    { name: 'invalid.illegal.escape.ftp', match: '\\\\.' },
    {
      name: 'meta.interpolation.ftp',
      ...rule(
        `(\\$\\{)${blank}(${name})${blank}(\\})`,
        'punctuation.section.interpolation.begin',
        'variable.other',
        'punctuation.section.interpolation.end',
      ),
    },
  ]),
  quotes('single', "'"),
];

/** What begins a line: `use "…"`, `param name: type`, `data name`. */
const items = [
  rule(`^${blank}(${t.Use.name.toLowerCase()})(?=${blank}["'])`, 'keyword.control.import'),
  rule(`(?<=["'])[ \\t]+(as)[ \\t]+(${name})`, 'keyword.control.import', 'entity.name.namespace'),
  rule(
    `^${blank}(param)[ \\t]+(${name})${blank}(${colon})${blank}(${name})`,
    'keyword.declaration',
    'entity.name.type',
    'punctuation.separator.label',
    'storage.type',
  ),
  rule(`^${blank}(${keywords})[ \\t]+(${name})`, 'keyword.declaration', 'entity.name.type'),
];

/** Names, told apart by what stands around them. */
const names = [
  rule(
    `(${arrow})${blank}(${name})${endOfName}(?!${blank}${colon})`,
    'keyword.operator.arrow',
    'entity.name.function',
  ),
  rule(`^${blank}(${name})(?=${blank}(?:${arrow}))`, 'entity.name.function'),
  rule(`(${name})${blank}(${colon})`, 'entity.name.label', 'punctuation.separator.label'),
  rule(`(${name})(?=${blank}${open})`, 'entity.name.function'),
  rule(`(${name})(?=${blank}${equals}(?!=))`, 'variable.parameter'),
  rule(`(${patternOf(t.Variable)})`, 'variable.other.readwrite'),
];

const punctuation: readonly (readonly [TokenType, string])[] = [
  [t.Arrow, 'keyword.operator.arrow'],
  [t.Comparison, 'keyword.operator.comparison'],
  [t.Equals, 'keyword.operator.assignment'],
  [t.LeftParen, 'punctuation.section.arguments.begin'],
  [t.RightParen, 'punctuation.section.arguments.end'],
  [t.LeftBracket, 'punctuation.section.list.begin'],
  [t.RightBracket, 'punctuation.section.list.end'],
  [t.LeftBrace, 'punctuation.section.block.begin'],
  [t.RightBrace, 'punctuation.section.block.end'],
  [t.Comma, 'punctuation.separator.comma'],
  [t.Semicolon, 'punctuation.separator.semicolon'],
  [t.Colon, 'punctuation.separator.label'],
  [t.Dot, 'punctuation.accessor'],
  [t.Slash, 'punctuation.accessor'],
  [t.Star, 'keyword.operator.wildcard'],
];

export const textMateGrammar: TextMateGrammar = {
  scopeName: 'source.ftp',
  name: 'ftc pipeline',
  fileTypes: ['ftp'],
  patterns: [
    comments,
    ...strings,
    ...items,
    ...names,
    rule(
      `(${portable(t.quantity.value)})(${portable(t.quantity.unit)})`,
      'constant.numeric',
      'keyword.other.unit',
    ),
    ...punctuation.map(([type, scope]) => word(type, scope)),
    word(t.Identifier, 'variable.other'),
  ],
};
