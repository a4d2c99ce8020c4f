import type { Tokenizer } from './load-tokenizer.ts';

/** Turns ids into text as they come. */
export interface StreamDecoder {
  /** The text that this id completes; empty while a character lacks bytes. */
  push(id: number): string;
  /** What is left at the end: a character that never got its bytes comes out as U+FFFD. */
  end(): string;
}

/**
 * Never gives half a character: everything it returned, joined, equals `decode` of all the ids at once. It decodes
 * a short window of ids twice and returns the difference, so it works for any kind of decoder.
 */
export function streamDecoder(tokenizer: Tokenizer): StreamDecoder {
  // Ids whose text is out already, kept as context for what follows; then ids whose text is not.
  let window: number[] = [];
  let printed = '';
  const rest = () => tokenizer.decode(window);
  return {
    push(id) {
      window.push(id);
      const text = rest();
      if (text.endsWith('\uFFFD') || text.length <= printed.length) return '';
      const fresh = text.slice(printed.length);
      window = [id];
      printed = tokenizer.decode(window);
      if (!fresh.endsWith(printed)) {
        // The id began inside a character: it is no context on its own.
        window = [];
        printed = '';
      }
      return fresh;
    },
    end() {
      const fresh = rest().slice(printed.length);
      window = [];
      printed = '';
      return fresh;
    },
  };
}
