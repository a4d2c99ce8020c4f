/** Kinds of value in words, and what to write instead where that is beyond doubt. */
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

export function expectedWords(
  value: Value,
  schema: ValueSchema,
): { expected: string; replacement?: string | undefined; hint?: string | undefined } {
  const expected = schema.type === undefined ? 'one of its choices' : types[schema.type];
  const plain =
    value.kind === 'text' && value.parts.length === 1 && typeof value.parts[0] === 'string'
      ? value.parts[0]
      : undefined;
  const written = plain ?? (value.kind === 'raw' ? value.text : undefined);
  if ((schema.type === 'number' || schema.type === 'integer') && written !== undefined) {
    if (readQuantity(written, schema.unit)?.kind === 'number') return { expected, replacement: written };
  }
  if (schema.type === 'string' && value.kind === 'quantity')
    return { expected, replacement: `"${value.text}"` };
  if (schema.type === 'boolean' && value.kind === 'call') {
    const word = value.call.path.text.toLowerCase();
    if (['true', 'yes', 'on'].includes(word)) return { expected, replacement: 'yes' };
    if (['false', 'no', 'off'].includes(word)) return { expected, replacement: 'no' };
  }
  if (value.kind === 'list')
    return { expected, hint: 'a comma makes a list; between arguments write white space' };
  return { expected };
}
