/** What the grammar found wrong → a problem with the place and the words that help. */
import type { IRecognitionException, IToken } from 'chevrotain';
import { type Diagnostic, diagnose } from '../diagnostics/diagnostic.ts';
import type { Range, Span } from '../source/span.ts';

const closing: Readonly<Record<string, string>> = { LeftParen: ')', LeftBracket: ']', LeftBrace: '}' };
const opening: Readonly<Record<string, string>> = {
  RightParen: 'LeftParen',
  RightBracket: 'LeftBracket',
  RightBrace: 'LeftBrace',
};

/** Tokens in words. */
const inWords: Readonly<Record<string, string>> = {
  RightParen: '`)`',
  RightBracket: '`]`',
  RightBrace: '`}`',
  LeftBrace: '`{`',
  Equals: '`=`',
  As: '`as`',
  Comparison: 'a comparison',
  Arrow: '`→`',
};

export function syntaxProblem(
  error: IRecognitionException,
  tokens: readonly IToken[],
  spanOf: (range: Range) => Span,
  end: number,
): Diagnostic {
  const atEnd = error.token.tokenType.name === 'EOF';
  const found = atEnd ? '' : error.token.image;
  const index = atEnd ? tokens.length : indexOf(tokens, error.token.startOffset);
  const span = atEnd ? spanOf({ start: end, end }) : spanOf(rangeOf(error.token));
  const rule = error.context.ruleStack.at(-1) ?? 'file';
  const expected = error.message === 'EOF' ? '' : error.message;

  const open = expected in opening ? openBefore(tokens, index, opening[expected]!) : undefined;
  if (open !== undefined && (atEnd || endsArguments(error.token))) {
    const close = closing[open.tokenType.name]!;
    const related = [{ span, label: atEnd ? 'the file ends here' : `\`${close}\` expected before this` }];
    const data = { open: open.image, close, found };
    return diagnose('unclosed-bracket', data, { span: spanOf(rangeOf(open)), related });
  }
  const before = tokens[index - 1];
  const key = tokens[index - 2];
  if (
    rule === 'value' &&
    before?.tokenType.name === 'Equals' &&
    key !== undefined &&
    !startsAnything(error.token, before)
  ) {
    return diagnose('missing-value', { key: key.image }, { span: spanOf(rangeOf(before)) });
  }
  return diagnose(
    'unexpected',
    { found, expected: expectation(rule, expected, before), help: hint(rule, expected, error.token, before) },
    { span },
  );
}

const rangeOf = ({ startOffset, image }: IToken): Range => ({
  start: startOffset,
  end: startOffset + image.length,
});

function indexOf(tokens: readonly IToken[], offset: number): number {
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tokens[middle]!.startOffset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last bracket of a kind that is still open before a token. */
function openBefore(tokens: readonly IToken[], index: number, kind: string): IToken | undefined {
  let depth = 0;
  for (let at = index - 1; at >= 0 && at > index - 5000; at--) {
    const name = tokens[at]!.tokenType.name;
    if (opening[name] === kind) depth++;
    else if (name === kind && depth-- === 0) return tokens[at];
  }
  return undefined;
}

/** An arrow, a closing bracket of another kind or a new item: the arguments have ended without their bracket. */
function endsArguments({ tokenType }: IToken): boolean {
  return (
    tokenType.name === 'Arrow' ||
    tokenType.name in opening ||
    tokenType.CATEGORIES?.[0]?.name === 'Identifier'
  );
}

/** Something that is meant as a value, though a wrong one, stands right there. */
function startsAnything(token: IToken, equals: IToken): boolean {
  const name = token.tokenType.name;
  return (
    (name === 'Equals' ||
      name === 'Comparison' ||
      name === 'Star' ||
      name === 'Slash' ||
      name === 'Dot' ||
      name === 'LeftBrace') &&
    token.startLine === equals.endLine
  );
}

function expectation(rule: string, expected: string, before: IToken | undefined): string {
  if (rule === 'value' || rule === 'single') return 'a value';
  if (rule === 'callArguments') return 'an argument or `)`';
  if (rule === 'parameters') return '`name=default` or `)`';
  if (rule === 'list') return 'a value or `]`';
  if (rule === 'profileItem' && expected === 'RightBrace') return '`path = value` or `}`';
  if (rule === 'useItem' && expected === '') return 'the path of a file in quotes';
  if (expected === 'Identifier' || expected === '') {
    if (before?.tokenType.CATEGORIES?.[0]?.name === 'Identifier') return `a name after \`${before.image}\``;
    return before?.tokenType.name === 'Arrow'
      ? 'a stage after `→`'
      : rule === 'file' || rule === 'item'
        ? 'an item or a stage'
        : 'a name';
  }
  return inWords[expected] ?? 'an item or a stage';
}

function hint(rule: string, expected: string, token: IToken, before: IToken | undefined): string | undefined {
  if (token.tokenType.name === 'Equals' && rule === 'file' && before?.tokenType.name === 'Identifier')
    return 'a name for a value is declared with `let name = value`';
  if (token.tokenType.name === 'Quantity' && expected === 'Identifier') return 'a name starts with a letter';
  return undefined;
}
