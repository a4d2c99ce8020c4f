import { describe, expect, it } from 'vitest';
import { format } from '../../src/compiler/format.ts';

const fmt = (text: string): string | undefined => format({ path: 'x.ftp', text }).text;

describe('format', () => {
  it('returns the acceptance text of the first day unchanged', () => {
    const text = 'pretrain → sft(lora r=8 targets=q,v) → rm → ppo\n';
    expect(fmt(text)).toBe(text);
  });

  it('drops commas between arguments, keeps those of lists', () => {
    expect(fmt('sft(lora, r=8, targets=q, v, lr = 2e-4,)')).toBe('sft(lora r=8 targets=q,v lr=2e-4)\n');
    expect(fmt('x(a=[ q,v  k ])')).toBe('x(a=[q, v, k])\n');
    expect(fmt('pipeline p(a=1, b=2) = x')).toBe('pipeline p(a=1 b=2) = x\n');
    expect(fmt('profile p{a.b=1, *.c=q,v;d=2}')).toBe('profile p { a.b = 1 *.c = q,v d = 2 }\n');
  });

  it('keeps one semicolon where it can close a method', () => {
    expect(fmt('sft(;lora r=8;;,; lr=1;)')).toBe('sft(lora r=8; lr=1)\n');
  });

  it('writes full-width signs and arrows in their usual form', () => {
    expect(fmt('a->b（x＝1， y＝５）')).toBeUndefined();
    expect(fmt('a->看：b（x＝1， y＝5％； z＝"，"）')).toBe('a → 看: b(x=1 y=5%; z="，")\n');
  });

  it('leaves line breaks to the author and indents by two', () => {
    expect(fmt('pipeline p =\npretrain\n      → sft(\nlora\n  r=8\n)\n')).toBe(
      'pipeline p =\n  pretrain\n  → sft(\n    lora\n    r=8\n  )\n',
    );
    expect(fmt('a →\nb')).toBe('a\n  → b\n');
    expect(fmt('let\nx\n=\n5')).toBe('let x =\n  5\n');
  });

  it('keeps comments, where they are', () => {
    const text =
      '# top\nlet x = 5 # why\n\n# about p\npipeline p =\n  # first\n  a # here\n  # then\n  → b( # in\n    x=1\n    # last\n  )\n# end\n';
    expect(fmt(text)).toBe(text);
    expect(fmt('a → # c\n b')).toBe('a # c\n  → b\n');
  });

  it('keeps at most one empty line, none at the ends', () => {
    expect(fmt('\n\nlet x = 5\n\n\n\nlet y = 6\n\n')).toBe('let x = 5\n\nlet y = 6\n');
  });

  it('does not touch block texts', () => {
    const text = 'template chat = """\n  {{ m }},\n    -> "x"\n"""\n';
    expect(fmt(text)).toBe(text);
  });

  it('keeps apart what would become another word', () => {
    expect(fmt('x(a(3, epochs) b)')).toBe('x(a(3\n  epochs) b)\n');
    expect(fmt('x(\ndata, y)')).toBe('x(\n  data,y)\n');
  });

  it('gives an empty file for an empty file, and nothing for a broken one', () => {
    expect(fmt('\n \n')).toBe('');
    expect(fmt('# only\n')).toBe('# only\n');
    const { text, diagnostics } = format({ path: 'x.ftp', text: 'sft(' });
    expect(text).toBeUndefined();
    expect(diagnostics.map(({ name }) => name)).toEqual(['unclosed-bracket']);
  });
});
