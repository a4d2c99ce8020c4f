/** What an editor does with a TextMate grammar, in as far as ftc's needs it: line by line, the earliest match wins. */
import type { TextMateGrammar, TextMateRule } from '../../grammar/textmate.ts';

export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** From the outermost to the innermost. */
  readonly scopes: readonly string[];
}

interface Open {
  readonly rule: TextMateRule | undefined;
  readonly end: RegExp | undefined;
  readonly patterns: readonly TextMateRule[];
  readonly scopes: readonly string[];
}

const compiled = new Map<string, RegExp>();
const regex = (source: string): RegExp => {
  const known = compiled.get(source) ?? new RegExp(source, 'dgu');
  compiled.set(source, known);
  return known;
};
const find = (pattern: RegExp, line: string, at: number) => {
  pattern.lastIndex = at;
  return pattern.exec(line);
};

/** The pieces of a text that a rule matched; what nothing matched (white space) is left out. */
export function colour(grammar: TextMateGrammar, text: string): Piece[] {
  const pieces: Piece[] = [];
  const stack: Open[] = [{ rule: undefined, end: undefined, patterns: grammar.patterns, scopes: [] }];
  let offset = 0;
  for (const line of text.split(/(?<=\n)/)) {
    const content = line.replace(/\r?\n$/, '');
    const add = (start: number, end: number, scopes: readonly string[]) => {
      if (end > start)
        pieces.push({ start: offset + start, end: offset + end, text: content.slice(start, end), scopes });
    };
    const addMatch = (match: RegExpExecArray, rule: TextMateRule, scopes: readonly string[]) => {
      let done = match.index;
      for (const [group, capture] of Object.entries(rule.captures ?? {})) {
        const range = match.indices![Number(group)];
        if (range === undefined) continue;
        add(done, range[0], scopes);
        add(range[0], range[1], [...scopes, capture.name]);
        done = range[1];
      }
      add(done, match.index + match[0].length, scopes);
    };
    for (let at = 0; ; ) {
      const { end, patterns, scopes } = stack.at(-1)!;
      const ended = end && find(end, content, at);
      let best: { match: RegExpExecArray; rule: TextMateRule } | undefined;
      for (const rule of patterns) {
        const match = find(regex(rule.match ?? rule.begin!), content, at);
        if (match && match[0] !== '' && (best === undefined || match.index < best.match.index))
          best = { match, rule };
      }
      if (ended && (best === undefined || ended.index <= best.match.index)) {
        add(at, ended.index + ended[0].length, scopes);
        at = ended.index + ended[0].length;
        stack.pop();
      } else if (best === undefined) {
        if (end) add(at, content.length, scopes);
        break;
      } else {
        const { match, rule } = best;
        if (end) add(at, match.index, scopes);
        at = match.index + match[0].length;
        const inner = rule.name === undefined ? scopes : [...scopes, rule.name];
        if (rule.begin === undefined) addMatch(match, rule, inner);
        else {
          add(match.index, at, inner);
          stack.push({ rule, end: regex(rule.end!), patterns: rule.patterns ?? [], scopes: inner });
        }
      }
    }
    offset += line.length;
  }
  return pieces;
}

/** The innermost scope at an offset, without `.ftp`. */
export function scopeAt(pieces: readonly Piece[], offset: number): string | undefined {
  const piece = pieces.find(({ start, end }) => start <= offset && offset < end);
  return piece?.scopes.at(-1)?.replace(/\.ftp$/, '');
}
