/** Kinds of value in words, and what to write instead where that is beyond doubt. */

import { either } from '../diagnostics/words/words.ts';
import type { Value } from '../syntax/tree.ts';
import type { ValueSchema } from './evaluate.ts';
import { readQuantity } from './units.ts';

export function describeValue(value: Value): string {
  switch (value.kind) {
    case 'quantity':
      return value.text.includes('..') ? `the range ${value.text}` : `the number ${value.text}`;
    case 'text':
    case 'raw':
    case 'block':
      return 'text';
    case 'list':
      return 'a list';
    case 'variable':
      return `\`$${value.name.text}\``;
    case 'rows':
      return 'rows of data';
    case 'call':
      return value.call.parens
        ? `the call \`${value.call.path.text}(…)\``
        : `the word \`${value.call.path.text}\``;
  }
}

const types = {
  number: 'a number',
  integer: 'a whole number',
  string: 'text',
  boolean: '`yes` or `no`',
  array: 'a list',
} as const;

export interface ExpectedWords {
  readonly expected: string;
  readonly choices?: readonly string[] | undefined;
  readonly replacement?: string | undefined;
  readonly hint?: string | undefined;
}

/** Choices whose number is the one that was written: `nf4` and `int4` for 4. */
function sameNumber(value: Value, choices: readonly string[]): readonly string[] {
  const written = value.kind === 'quantity' ? /^\d+/.exec(value.text)?.[0] : undefined;
  return choices.filter((choice) => choice.match(/\d+/g)?.some((digits) => digits === written));
}

export function expectedWords(value: Value, schema: ValueSchema): ExpectedWords {
  const choices = schema.enum?.map(String);
  const expected =
    choices !== undefined || schema.type === undefined ? 'one of its choices' : types[schema.type];
  const plain =
    value.kind === 'text' && value.parts.length === 1 && typeof value.parts[0] === 'string'
      ? value.parts[0]
      : undefined;
  const written = plain ?? (value.kind === 'raw' ? value.text : undefined);
  if ((schema.type === 'number' || schema.type === 'integer') && written !== undefined) {
    if (readQuantity(written, schema.unit)?.kind === 'number') return { expected, replacement: written };
  }
  if (choices !== undefined && value.kind !== 'list') {
    const near = sameNumber(value, choices);
    if (near.length === 1) return { expected, choices, replacement: near[0] };
    return { expected, choices, ...(near.length > 0 && { hint: `did you mean ${either(near)}?` }) };
  }
  if (schema.type === 'string' && value.kind === 'quantity')
    return { expected, replacement: `"${value.text}"` };
  if (schema.type === 'boolean' && value.kind === 'call') {
    const word = value.call.path.text.toLowerCase();
    if (['true', 'yes', 'on'].includes(word)) return { expected, replacement: 'yes' };
    if (['false', 'no', 'off'].includes(word)) return { expected, replacement: 'no' };
  }
  if (value.kind === 'list')
    return { expected, choices, hint: 'a comma makes a list; between arguments write white space' };
  return { expected };
}
