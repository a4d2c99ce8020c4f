/**
 * What we use of `@huggingface/tokenizers`, with types: its own declarations do not resolve under Node's module
 * resolution (imports without extension). Its pipeline as a whole is not used: it deviates from the Rust library in
 * white space, byte fallback, Unigram, prefix spaces and more, and says nothing.
 */
import * as tokenizers from '@huggingface/tokenizers';

interface Package {
  readonly SplitPreTokenizer: new (config: object) => { readonly pattern: RegExp | null };
}

const { SplitPreTokenizer } = tokenizers as unknown as Package;

/** The pattern of a `Split`, in Oniguruma's syntax, as a regular expression with the flags `gu`. */
export function compileSplit(split: object): RegExp {
  const { pattern } = new SplitPreTokenizer(split);
  if (pattern === null) throw new Error('tokenizer.json: its pre-tokenizer has no pattern');
  return pattern;
}
