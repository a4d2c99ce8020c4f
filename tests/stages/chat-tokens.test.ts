/** What a chat template adds to a row, as plans count it. */
import { expect, test } from 'vitest';
import { chatTokens } from '../../src/runtime/stages/estimates/lengths.ts';

const chatML = `{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}`;

test('marks are a token each, words around them count as text', () => {
  // user\n + \n and assistant\n + \n are 17 bytes in two turns, beside four marks.
  expect(chatTokens(chatML, 0.5)).toEqual({ once: 0, turn: (4 + 17 * 0.5) / 2 });
  expect(chatTokens(`<|bos|>${chatML}`, 0.5)).toEqual({ once: 1, turn: (4 + 17 * 0.5) / 2 });
});

test('a template that refuses empty turns, and none at all', () => {
  expect(chatTokens("{{ raise_exception('no') }}", 1)).toEqual({ once: 0, turn: 2 });
  expect(chatTokens(undefined, 1)).toEqual({ once: 0, turn: 2 });
});
