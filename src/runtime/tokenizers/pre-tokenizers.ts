/** Pre-tokenizers of tokenizer.json: text → pieces that are encoded apart, as the Rust library `tokenizers` has them. */
import { byteAlphabet } from './byte-alphabet.ts';
import {
  type Component,
  choiceIn,
  componentOf,
  flagIn,
  partsIn,
  stringIn,
  unknownKind,
} from './component.ts';
import { compileSplit } from './engine.ts';
import { gpt2Pattern } from './known-patterns.ts';
import { patternIn } from './pattern.ts';
import { behaviors, splitText } from './split-text.ts';

/** What stands before a text. */
export interface Place {
  /** Nothing: it is the beginning of what is encoded. */
  readonly first: boolean;
  /** More text of the same part: nothing is put in front. */
  readonly continues: boolean;
}

export interface PreTokenizer {
  /** Undefined where it does not cut. */
  readonly cut?: (text: string, place: Place) => readonly string[];
  /** How a piece is written for the model, where that is not as it is. */
  readonly spell?: (piece: string) => string;
}

/** A pre-tokenizer that only cuts. */
const cuts = (pattern: RegExp, behavior: (typeof behaviors)[number], invert = false): PreTokenizer => ({
  cut: (text) => splitText(text, pattern, behavior, invert),
});

const BLANK = /\p{White_Space}/gu;
const SIGN = /[\p{P}!-/:-@[-`{-~]/gu;

const kinds: Readonly<Record<string, (component: Component) => PreTokenizer>> = {
  Sequence: (component) => sequence(partsIn(component, 'pretokenizers').map(compile)),
  Split: (component) =>
    cuts(
      patternIn(component),
      choiceIn(component, 'behavior', behaviors, 'Isolated'),
      flagIn(component, 'invert', false),
    ),
  ByteLevel(component) {
    const prefix = flagIn(component, 'add_prefix_space', true);
    const pattern = flagIn(component, 'use_regex', true) ? gpt2 : undefined;
    if (!prefix && pattern === undefined) return { spell: bytesOf };
    return {
      cut(text, { continues }) {
        const written = prefix && !continues && !text.startsWith(' ') ? ` ${text}` : text;
        return pattern === undefined ? [written] : splitText(written, pattern, 'Isolated');
      },
      spell: bytesOf,
    };
  },
  Metaspace(component) {
    const mark = stringIn(component, 'replacement', '▁');
    const scheme = choiceIn(component, 'prepend_scheme', ['always', 'first', 'never'], 'always');
    const apart = flagIn(component, 'split', true) ? new RegExp(mark.replace(/\W/g, '\\$&'), 'g') : undefined;
    return {
      cut(text, { first, continues }) {
        const marked = text.replaceAll(' ', mark);
        const wanted = !continues && (scheme === 'always' || (scheme === 'first' && first));
        const whole = wanted && !marked.startsWith(mark) ? mark + marked : marked;
        return apart === undefined ? [whole] : splitText(whole, apart, 'MergedWithNext');
      },
    };
  },
  Digits: (component) =>
    cuts(/\p{N}/gu, flagIn(component, 'individual_digits', false) ? 'Isolated' : 'Contiguous'),
  Punctuation: (component) => cuts(SIGN, choiceIn(component, 'behavior', behaviors, 'Isolated')),
  Whitespace: () =>
    cuts(
      /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu,
      'Removed',
      true,
    ),
  WhitespaceSplit: () => cuts(BLANK, 'Removed'),
  BertPreTokenizer: () => sequence([cuts(BLANK, 'Removed'), cuts(SIGN, 'Isolated')]),
  CharDelimiterSplit(component) {
    const delimiter = stringIn(component, 'delimiter');
    return { cut: (text) => text.split(delimiter).filter((piece) => piece !== '') };
  },
};

/** @throws TokenizerError for a kind that is not among these */
export function compilePreTokenizer(value: unknown): PreTokenizer | undefined {
  return value === null || value === undefined ? undefined : compile(componentOf(value, 'pre_tokenizer'));
}

function compile(component: Component): PreTokenizer {
  const kind = Object.hasOwn(kinds, component.type) ? kinds[component.type] : undefined;
  if (kind === undefined) throw unknownKind(component);
  return kind(component);
}

/** Each step cuts the pieces of the one before; only the last spelling waits until a piece is asked for. */
function sequence(steps: readonly PreTokenizer[]): PreTokenizer {
  const last = steps.at(-1)?.spell;
  return {
    cut(text, place) {
      let pieces: readonly string[] = [text];
      steps.forEach(({ cut, spell }, n) => {
        if (cut !== undefined) pieces = cutEach(pieces, cut, place);
        if (spell !== undefined && n < steps.length - 1) pieces = pieces.map(spell);
      });
      return pieces;
    },
    ...(last === undefined ? {} : { spell: last }),
  };
}

function cutEach(
  pieces: readonly string[],
  cut: NonNullable<PreTokenizer['cut']>,
  place: Place,
): readonly string[] {
  if (pieces.length === 1) return cut(pieces[0]!, place);
  return pieces.flatMap((piece, i) => cut(piece, i === 0 ? place : { ...place, first: false }));
}

const gpt2 = compileSplit({ pattern: { Regex: gpt2Pattern }, behavior: 'Isolated', invert: false });
const encoder = new TextEncoder();

function bytesOf(piece: string): string {
  let text = '';
  for (const byte of encoder.encode(piece)) text += byteAlphabet[byte]!;
  return text;
}
