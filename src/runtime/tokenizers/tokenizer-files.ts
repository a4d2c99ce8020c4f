/** The two JSON files of a Hugging Face tokenizer, as far as we read them; other keys are kept as they are. */

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly single_word?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  readonly normalized?: boolean;
  readonly special?: boolean;
}

/** `tokenizer.json` */
export interface TokenizerJson {
  readonly added_tokens: readonly AddedToken[];
  readonly normalizer: unknown;
  readonly pre_tokenizer: unknown;
  readonly post_processor: unknown;
  readonly decoder: unknown;
  readonly model: { readonly type?: string; readonly vocab?: unknown; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

/** A token by its text, or with how it is matched. */
export type TokenName = string | null | { readonly content: string };

/** `tokenizer_config.json` */
export interface TokenizerConfig {
  readonly bos_token?: TokenName;
  readonly eos_token?: TokenName;
  readonly pad_token?: TokenName;
  /** Jinja; several named ones in some models. */
  readonly chat_template?: string | readonly { readonly name: string; readonly template: string }[];
  readonly [key: string]: unknown;
}

export interface TokenizerFiles {
  readonly json: TokenizerJson;
  /** `tokenizer.json` as it was read, so that it can be written again byte for byte; absent where ftc made the tokenizer. */
  readonly raw?: string;
  readonly config: TokenizerConfig;
}

/** The text of a token's name; undefined where there is none. */
export function textOfName(name: TokenName | undefined): string | undefined {
  return typeof name === 'string' ? name : (name?.content ?? undefined);
}
