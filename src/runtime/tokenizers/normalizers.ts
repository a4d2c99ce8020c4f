/** Normalizers of tokenizer.json: text → text, as the Rust library `tokenizers` has them. */
import {
  type Component,
  componentOf,
  flagIn,
  partsIn,
  stringIn,
  unknownKind,
  unusable,
} from './component.ts';
import { patternIn } from './pattern.ts';
import { precompiledMap } from './precompiled-map.ts';
import { trimEnd, trimStart } from './white-space.ts';

/** `continues`: text stands before this one, so that nothing is put in front. */
export type Normalizer = (text: string, continues: boolean) => string;

const kinds: Readonly<Record<string, (component: Component) => Normalizer>> = {
  Sequence(component) {
    const steps = partsIn(component, 'normalizers').map(compile);
    return (text, continues) => steps.reduce((made, step) => step(made, continues), text);
  },
  NFC: () => (text) => text.normalize('NFC'),
  NFD: () => (text) => text.normalize('NFD'),
  NFKC: () => (text) => text.normalize('NFKC'),
  NFKD: () => (text) => text.normalize('NFKD'),
  Lowercase: () => lowercase,
  StripAccents: () => (text) => text.replace(/\p{M}/gu, ''),
  Strip(component) {
    const left = flagIn(component, 'strip_left', true);
    const right = flagIn(component, 'strip_right', true);
    return (text) => (right ? trimEnd : same)((left ? trimStart : same)(text));
  },
  Prepend(component) {
    const prefix = stringIn(component, 'prepend');
    return (text, continues) => (continues || text === '' ? text : prefix + text);
  },
  Replace(component) {
    const pattern = patternIn(component);
    const content = stringIn(component, 'content');
    return (text) => text.replace(pattern, () => content);
  },
  Nmt: () => nmt,
  Precompiled: (component) =>
    precompiledMap(stringIn(component, 'precompiled_charsmap'), (problem) =>
      unusable(`${component.path}.precompiled_charsmap`, problem),
    ),
  BertNormalizer: bert,
};

/** @throws TokenizerError for a kind that is not among these */
export function compileNormalizer(value: unknown): Normalizer | undefined {
  return value === null || value === undefined ? undefined : compile(componentOf(value, 'normalizer'));
}

function compile(component: Component): Normalizer {
  const kind = Object.hasOwn(kinds, component.type) ? kinds[component.type] : undefined;
  if (kind === undefined) throw unknownKind(component);
  return kind(component);
}

const same = (text: string) => text;

/** A letter at a time: a sigma at the end of a word is not another one. */
function lowercase(text: string): string {
  return text.includes('Σ') ? Array.from(text, (c) => c.toLowerCase()).join('') : text.toLowerCase();
}

/** SentencePiece's `nmt`: control characters go, odd spaces become spaces. */
const nmt = (text: string) =>
  text
    .replace(/[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]/g, '')
    .replace(/[\u0009\u000a\u000c\u000d\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g, ' ');

function bert(component: Component): Normalizer {
  const clean = flagIn(component, 'clean_text', true);
  const apart = flagIn(component, 'handle_chinese_chars', true);
  const lower = flagIn(component, 'lowercase', true);
  const accents = flagIn(component, 'strip_accents', lower);
  return (text) => {
    let made = text;
    if (clean)
      made = made
        .replace(/(?![\t\n\r])[\0\ufffd\p{Cc}\p{Cf}\p{Cs}\p{Co}]/gu, '')
        .replace(/\p{White_Space}/gu, ' ');
    if (apart) made = made.replace(chinese, ' $& ');
    if (accents) made = made.normalize('NFD').replace(/\p{Mn}/gu, '');
    return lower ? lowercase(made) : made;
  };
}

const chinese =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;
