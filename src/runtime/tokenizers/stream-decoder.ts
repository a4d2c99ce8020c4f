import { bytesOf, isByteToken } from './decoders.ts';
import type { Tokenizer } from './load-tokenizer.ts';

/** Turns ids into text as they come. */
export interface StreamDecoder {
  /** The text that this id completes; empty while a character lacks bytes. */
  push(id: number): string;
  /** What is left at the end: a character that never got its bytes comes out as U+FFFD. */
  end(): string;
}

/** Never gives half a character: everything it returned, joined, equals `decode` of all the ids at once. */
export function streamDecoder(tokenizer: Pick<Tokenizer, 'decoder' | 'tokenOf'>): StreamDecoder {
  return tokenizer.decoder.settles === 'bytes' ? byteStream(tokenizer) : tokenStream(tokenizer);
}

function byteStream({ tokenOf }: Pick<Tokenizer, 'tokenOf'>): StreamDecoder {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  return {
    push(id) {
      const token = tokenOf(id);
      return token === undefined ? '' : utf8.decode(bytesOf([token]), { stream: true });
    },
    end: () => utf8.decode(),
  };
}

/** Holds tokens back until their text is settled, and the first ones until they have any. */
function tokenStream({ decoder, tokenOf }: Pick<Tokenizer, 'decoder' | 'tokenOf'>): StreamDecoder {
  let held: string[] = [];
  let first = true;
  const isSettled = (token: string) =>
    decoder.settles === 'at once' || (decoder.settles === 'byte tokens' && !isByteToken(token));
  return {
    push(id) {
      const token = tokenOf(id);
      if (token === undefined) return '';
      held.push(token);
      if (!isSettled(token)) return '';
      const text = decoder.decode(held, { first, last: false });
      if (first && text === '') return '';
      held = [];
      first = false;
      return text;
    },
    end() {
      const text = decoder.decode(held, { first, last: true });
      held = [];
      first = true;
      return text;
    },
  };
}
