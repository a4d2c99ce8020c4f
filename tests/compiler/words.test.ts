/** The words of the language, read one by one. */
import { describe, expect, it } from 'vitest';
import { chevrotain } from '../../grammar/chevrotain.ts';
import { PipelineParser } from '../../grammar/parser.ts';
import { tokenTypes } from '../../grammar/tokens.ts';
import { lex } from '../../src/compiler/tokens/lex.ts';

const words = (text: string): string[] =>
  lex({ path: 'x.ftp', text }).tokens.map(({ tokenType, image }) => `${tokenType.name} ${image}`);

describe('words', () => {
  it('are valid definitions for the lexer and the parser, which skip the check at each start', () => {
    const lexer = new chevrotain.Lexer([...tokenTypes], {
      ensureOptimizations: true,
      positionTracking: 'full',
    });
    expect(lexer.lexerDefinitionErrors).toEqual([]);
    expect(() => new PipelineParser({ skipValidations: false })).not.toThrow();
  });

  it('may be names of any script', () => {
    expect(words('医疗 é α 𠀀 问诊-2 _x x1')).toEqual(
      ['医疗', 'é', 'α', '𠀀', '问诊-2', '_x', 'x1'].map((name) => `Identifier ${name}`),
    );
  });

  it('end a name before an arrow', () => {
    expect(words('a->b-c→d')).toEqual([
      'Identifier a',
      'Arrow ->',
      'Identifier b-c',
      'Arrow →',
      'Identifier d',
    ]);
  });

  it('are one word for every number', () => {
    const numbers = [
      '2e-4',
      '5%',
      '24GB',
      '200M',
      '30m',
      '3 epochs',
      '1..5',
      '-1',
      '+0.5',
      '.5',
      '1_000',
      '2M tokens',
      '24GBB',
      '3轮',
      '1e-3..1e-2',
    ];
    for (const number of numbers) expect(words(number)).toEqual([`Quantity ${number}`]);
  });

  it('do not take a key, a call or a label for a unit', () => {
    expect(words('3 epochs=2')).toEqual(['Quantity 3', 'Identifier epochs', 'Equals =', 'Quantity 2']);
    expect(words('3 steps(')[0]).toBe('Quantity 3');
    expect(words('3 stepsize')[0]).toBe('Quantity 3');
    expect(words('3\nepochs')[0]).toBe('Quantity 3');
  });

  it('keep keywords usable as keys', () => {
    expect(words('data=notes datum')).toEqual([
      'Data data',
      'Equals =',
      'Identifier notes',
      'Identifier datum',
    ]);
  });

  it('take the full-width signs for their twins', () => {
    expect(words('（），；：＝').map((word) => word.split(' ')[0])).toEqual([
      'LeftParen',
      'RightParen',
      'Comma',
      'Semicolon',
      'Colon',
      'Equals',
    ]);
  });

  it('end an unclosed text at its line and an unclosed block at the end of the file', () => {
    expect(words('"open\nx')).toEqual(['UnclosedText "open', 'Identifier x']);
    expect(words('"""open\nx')).toEqual(['UnclosedBlock """open\nx']);
  });

  it('keep comments apart', () => {
    const { tokens, comments } = lex({ path: 'x.ftp', text: 'a # one\n# two\nb "# no"' });
    expect(comments.map(({ image }) => image)).toEqual(['# one', '# two']);
    expect(tokens.map(({ image }) => image)).toEqual(['a', 'b', '"# no"']);
  });
});
