/** The words of the language. First match wins, so longer spellings stand before shorter ones. */
import type { ITokenConfig, TokenType } from 'chevrotain';
import { namePart, nameStart } from './characters.ts';
import { chevrotain } from './chevrotain.ts';

const { Lexer, createToken } = chevrotain;

const all: TokenType[] = [];
function token(config: ITokenConfig): TokenType {
  const made = createToken(config);
  all.push(made);
  return made;
}

token({
  name: 'WhiteSpace',
  pattern: /[ \t\r\n\f\v\u00A0\u3000\uFEFF]+/,
  group: Lexer.SKIPPED,
  line_breaks: true,
});
export const Comment = token({ name: 'Comment', pattern: /#[^\n\r]*/, group: 'comments' });

/** A hyphen belongs to a name only where a letter or digit follows, so `a->b` is an arrow. */
export const Identifier = createToken({
  name: 'Identifier',
  pattern: new RegExp(`${nameStart}(?:-?${namePart})*`),
});

/** Item keywords are names as well: `data=notes` is a key. */
function keyword(name: string, spelling: string): TokenType {
  return token({ name, pattern: new RegExp(spelling), longer_alt: Identifier, categories: [Identifier] });
}
export const Use = keyword('Use', 'use');
export const As = keyword('As', 'as');
export const Let = keyword('Let', 'let');
export const Param = keyword('Param', 'param');
export const Data = keyword('Data', 'data');
export const Model = keyword('Model', 'model');
export const Template = keyword('Template', 'template');
export const Stage = keyword('Stage', 'stage');
export const Pipeline = keyword('Pipeline', 'pipeline');
export const Profile = keyword('Profile', 'profile');
all.push(Identifier);

const number = '(?:\\d[\\d_]*(?:\\.\\d[\\d_]*)?|\\.\\d[\\d_]*)(?:[eE][+-]?\\d+)?';
/** Units that may stand apart from their number (`3 epochs`), unless they are a key, a call or a label themselves. */
const apart =
  '(?:epochs?|steps?|tokens?|rows?|seconds?|minutes?|hours?|days?)(?![A-Za-z0-9_-])(?![ \\t]*[=(:.\\uFF1D\\uFF08\\uFF1A])';
/** Of a quantity: its number or range, and its unit. */
export const quantity = {
  value: `[+-]?${number}(?:\\.\\.[+-]?${number})?`,
  unit: `(?:%|\\uFF05|${nameStart}${namePart}*)?(?:[ \\t]+${apart})?`,
};
/** One token for every number: `2e-4 5% 24GB 200M 30m 3 epochs 1..5`. What a unit means is not the grammar's business. */
export const Quantity = token({
  name: 'Quantity',
  pattern: new RegExp(quantity.value + quantity.unit),
});

export const BlockString = token({
  name: 'BlockString',
  pattern: /"""[^"]*(?:"(?!"")[^"]*)*"""/,
  line_breaks: true,
});
/** Runs to the end of the file, so that it is one mistake and not thousands. */
export const UnclosedBlock = token({
  name: 'UnclosedBlock',
  pattern: /"""[^"]*(?:"(?!"")[^"]*)*/,
  line_breaks: true,
});
export const Text = token({ name: 'Text', pattern: /"[^"\\\n\r]*(?:\\[^\n\r][^"\\\n\r]*)*"/ });
export const RawText = token({ name: 'RawText', pattern: /'[^'\n\r]*'/ });
/** Runs to the end of its line. */
export const UnclosedText = token({ name: 'UnclosedText', pattern: /"[^\n\r]*|'[^\n\r]*/ });
export const Variable = token({ name: 'Variable', pattern: new RegExp(`\\$${nameStart}(?:-?${namePart})*`) });

export const Arrow = token({ name: 'Arrow', pattern: /→|->/ });
export const Comparison = token({ name: 'Comparison', pattern: />=|<=|==|!=|>|</ });
export const Equals = token({ name: 'Equals', pattern: /[=＝]/ });
export const LeftParen = token({ name: 'LeftParen', pattern: /[(（]/ });
export const RightParen = token({ name: 'RightParen', pattern: /[)）]/ });
export const LeftBracket = token({ name: 'LeftBracket', pattern: /\[/ });
export const RightBracket = token({ name: 'RightBracket', pattern: /]/ });
export const LeftBrace = token({ name: 'LeftBrace', pattern: /\{/ });
export const RightBrace = token({ name: 'RightBrace', pattern: /}/ });
export const Comma = token({ name: 'Comma', pattern: /[,，]/ });
export const Semicolon = token({ name: 'Semicolon', pattern: /[;；]/ });
export const Colon = token({ name: 'Colon', pattern: /[:：]/ });
export const Dot = token({ name: 'Dot', pattern: /\./ });
export const Slash = token({ name: 'Slash', pattern: /\// });
export const Star = token({ name: 'Star', pattern: /\*/ });
/** Whatever no other token starts with; kept out of the parser's way and reported by the lexing pass. */
token({ name: 'Stray', pattern: /[\u0000-\uFFFF]/, group: 'stray', line_breaks: false });

export const itemKeywords: readonly TokenType[] = [
  Use,
  Let,
  Param,
  Data,
  Model,
  Template,
  Stage,
  Pipeline,
  Profile,
];
export const tokenTypes: readonly TokenType[] = all;

/** Total: every text lexes, and what is not part of the language comes back in the group `stray`. */
export const pipelineLexer = new Lexer([...all], {
  ensureOptimizations: true,
  positionTracking: 'full',
  // The words are validated in a test; doing it at each start takes longer than reading a pipeline.
  skipValidations: true,
});
