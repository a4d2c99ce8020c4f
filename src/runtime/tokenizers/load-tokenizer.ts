import { makeEngine } from './engine.ts';
import { pieceEncoder } from './piece-encoder.ts';
import type { TokenizerConfig, TokenizerJson, TokenName } from './tokenizer-files.ts';

export interface Tokenizer {
  /** Ids of a text. Special tokens written in the text are matched; none is added. */
  encode(text: string): Int32Array;
  /** Text of ids. Bytes that are no UTF-8 become U+FFFD. Special tokens are written out unless skipped. */
  decode(ids: Iterable<number>, options?: { readonly skipSpecialTokens?: boolean }): string;
  /** Undefined where no token has exactly this text. */
  idOf(token: string): number | undefined;
  /** Largest id + 1. */
  readonly vocabularySize: number;
  readonly bos?: number;
  readonly eos: number;
  /** The end of text where the tokenizer names no padding. */
  readonly pad: number;
  /** Ids that stand for no text: those of special tokens. */
  readonly specialIds: ReadonlySet<number>;
  /** Text of the bos and eos tokens, for chat templates. */
  readonly bosToken: string;
  readonly eosToken: string;
}

/**
 * The tokenizer of a Hugging Face model directory, run by `@huggingface/tokenizers`, so that any other tool that
 * reads the same files gets the same ids.
 * @throws Error where the files are no tokenizer or name no end-of-text token
 */
export function loadTokenizer(json: TokenizerJson, config: TokenizerConfig): Tokenizer {
  const engine = makeEngine(json, config);
  const special = (key: 'bos_token' | 'eos_token' | 'pad_token') => {
    const text = textOf(config[key]);
    const id = text === undefined ? undefined : engine.token_to_id(text);
    if (text !== undefined && id === undefined) {
      throw new Error(`tokenizer_config.json: ${key} "${text}" is not in the vocabulary of tokenizer.json`);
    }
    return id;
  };
  const [bos, eos] = [special('bos_token'), special('eos_token')];
  if (eos === undefined) throw new Error('tokenizer_config.json names no eos_token');
  const encode = pieceEncoder(engine, json);
  return {
    encode,
    decode(ids, { skipSpecialTokens = false } = {}) {
      const list = Array.from(ids);
      if (list.length === 0) return '';
      return engine.decode(list, {
        skip_special_tokens: skipSpecialTokens,
        clean_up_tokenization_spaces: false,
      });
    },
    idOf: (token) => engine.token_to_id(token),
    vocabularySize: [...engine.get_vocab().values()].reduce((a, b) => Math.max(a, b), -1) + 1,
    ...(bos === undefined ? {} : { bos }),
    eos,
    pad: special('pad_token') ?? eos,
    specialIds: new Set(json.added_tokens.filter((token) => token.special).map((token) => token.id)),
    bosToken: textOf(config.bos_token) ?? '',
    eosToken: textOf(config.eos_token)!,
  };
}

function textOf(name: TokenName | undefined): string | undefined {
  return typeof name === 'string' ? name : (name?.content ?? undefined);
}
