/** Decoders of tokenizer.json: tokens → text, as the Rust library `tokenizers` has them. */
import { byteAlphabet } from './byte-alphabet.ts';
import {
  type Component,
  choiceIn,
  componentOf,
  countIn,
  flagIn,
  partsIn,
  stringIn,
  unknownKind,
} from './component.ts';
import { patternIn } from './pattern.ts';
import { watch } from './watch.ts';

/** What stands around these tokens. */
export interface Span {
  /** Nothing stands before them. */
  readonly first: boolean;
  /** Nothing comes after them. */
  readonly last: boolean;
}

type Step = (tokens: readonly string[], span: Span) => readonly string[];

/** When the text of tokens is settled, whatever comes after them. */
export type Settles =
  /** Every token has its text at once. */
  | 'at once'
  /** With the last byte of a character. */
  | 'bytes'
  /** A run of byte tokens, which is text only where it is valid as a whole. */
  | 'byte tokens'
  | 'at the end';

export interface TokenDecoder {
  decode(tokens: readonly string[], span: Span): string;
  readonly settles: Settles;
}

interface Kind {
  readonly step: Step;
  readonly settles: Settles;
}

/** `fused`: what comes in is one text, no longer a text for each token. */
const kinds: Readonly<Record<string, (component: Component, fused: boolean) => Kind>> = {
  ByteLevel: () => ({ step: (tokens) => [utf8.decode(bytesOf(tokens))], settles: 'bytes' }),
  ByteFallback: () => ({ step: byteFallback, settles: 'byte tokens' }),
  Fuse: () => ({ step: (tokens) => [tokens.join('')], settles: 'at once' }),
  Metaspace(component) {
    const mark = stringIn(component, 'replacement', '▁');
    const prepends =
      choiceIn(component, 'prepend_scheme', ['always', 'first', 'never'], 'always') !== 'never';
    return {
      step: (tokens, { first }) =>
        tokens.map((token, i) => token.replaceAll(mark, i === 0 && first && prepends ? '' : ' ')),
      settles: 'at once',
    };
  },
  WordPiece(component) {
    const prefix = stringIn(component, 'prefix', '##');
    const cleans = flagIn(component, 'cleanup', true);
    return {
      step: (tokens, { first }) =>
        tokens.map((token, i) => {
          const isFirst = i === 0 && first;
          const word = isFirst ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
          return cleans ? cleaned(word) : word;
        }),
      settles: 'at once',
    };
  },
  BPEDecoder(component) {
    const suffix = stringIn(component, 'suffix', '</w>');
    return {
      step: (tokens, { last }) =>
        tokens.map((token, i) => token.replaceAll(suffix, last && i === tokens.length - 1 ? '' : ' ')),
      settles: 'at the end',
    };
  },
  Replace(component) {
    const pattern = patternIn(component);
    const content = stringIn(component, 'content');
    const watched = watch([component.fields]);
    return {
      step: (tokens) => watched(tokens, () => tokens.map((token) => token.replace(pattern, () => content))),
      settles: 'at once',
    };
  },
  Strip: strip,
  Sequence: (component) => sequence(partsIn(component, 'decoders')),
};

/** Without one, tokens stand apart. @throws TokenizerError for a kind that is not among these */
export function compileDecoder(value: unknown): TokenDecoder {
  if (value === null || value === undefined)
    return {
      decode: (tokens, { first }) => (first || tokens.length === 0 ? '' : ' ') + tokens.join(' '),
      settles: 'at once',
    };
  const { step, settles } = compile(componentOf(value, 'decoder'));
  return { decode: (tokens, span) => step(tokens, span).join(''), settles };
}

function compile(component: Component, fused = false): Kind {
  const kind = Object.hasOwn(kinds, component.type) ? kinds[component.type] : undefined;
  if (kind === undefined) throw unknownKind(component);
  return kind(component, fused);
}

function sequence(parts: readonly Component[]): Kind {
  const fuse = parts.findIndex(({ type }) => type === 'Fuse' || type === 'ByteLevel');
  const steps = parts.map((part, i) => compile(part, fuse >= 0 && i > fuse));
  const late = steps.map(({ settles }) => settles).filter((settles) => settles !== 'at once');
  // What replaces in the whole text may see more of it later; bytes are settled where nothing else is done with them.
  const changesWhole =
    fuse >= 0 && parts.slice(fuse + 1).some(({ type }) => type !== 'Strip' && type !== 'Fuse');
  const alone = late[0] !== 'bytes' || steps.length === 1;
  return {
    step: (tokens, span) => steps.reduce((made, { step }) => step(made, span), tokens),
    settles: late.length > 1 || changesWhole || !alone ? 'at the end' : (late[0] ?? 'at once'),
  };
}

/** Cuts up to `start` characters from the beginning of each text and `stop` from its end. */
function strip(component: Component, fused: boolean): Kind {
  const content = stringIn(component, 'content');
  const start = countIn(component, 'start', 0);
  const stop = countIn(component, 'stop', 0);
  return {
    step: (tokens, { first }) =>
      tokens.map((token) => {
        const characters = Array.from(token);
        let from = 0;
        while ((first || !fused) && from < Math.min(start, characters.length) && characters[from] === content)
          from++;
        let to = characters.length;
        while (characters.length - to < stop && to > 0 && characters[to - 1] === content) to--;
        return characters.slice(from, Math.max(from, to)).join('');
      }),
    settles: fused && stop > 0 ? 'at the end' : 'at once',
  };
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
const encoder = new TextEncoder();
const byteOf = new Map(byteAlphabet.map((character, byte) => [character, byte]));

/** A token with any character that stands for no byte is text as it is. */
export function bytesOf(tokens: readonly string[]): Uint8Array {
  const bytes: number[] = [];
  for (const token of tokens) {
    const spelled = Array.from(token, (character) => byteOf.get(character));
    for (const byte of spelled.includes(undefined) ? encoder.encode(token) : spelled) bytes.push(byte!);
  }
  return Uint8Array.from(bytes);
}

const BYTE_TOKEN = /^<0x([0-9A-Fa-f]{2})>$/;
export const isByteToken = (token: string): boolean => BYTE_TOKEN.test(token);

/** Runs of `<0xNN>` as text; each byte of a run that is no UTF-8 as U+FFFD. */
const byteFallback: Step = (tokens) => {
  const made: string[] = [];
  let run: number[] = [];
  const flush = () => {
    if (run.length > 0) made.push(...textsOf(Uint8Array.from(run)));
    run = [];
  };
  for (const token of tokens) {
    const byte = BYTE_TOKEN.exec(token)?.[1];
    if (byte !== undefined) run.push(Number.parseInt(byte, 16));
    else {
      flush();
      made.push(token);
    }
  }
  flush();
  return made;
};

function textsOf(bytes: Uint8Array): string[] {
  try {
    return [strict.decode(bytes)];
  } catch {
    return Array.from(bytes, () => '\uFFFD');
  }
}

const cleaned = (text: string) =>
  text
    .replaceAll(' .', '.')
    .replaceAll(' ?', '?')
    .replaceAll(' !', '!')
    .replaceAll(' ,', ',')
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
    .replaceAll(' do not', " don't")
    .replaceAll(" 's", "'s")
    .replaceAll(" 've", "'ve")
    .replaceAll(" 're", "'re");
