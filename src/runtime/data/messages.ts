import { nearest } from '../../compiler/diagnostics/nearest.ts';
import { badRow } from './data-error.ts';
import type { Row } from './row.ts';

/** A turn of a conversation. */
export interface Message {
  readonly role: Role;
  readonly content: string;
}

const roles = ['system', 'user', 'assistant', 'tool'] as const;
type Role = (typeof roles)[number];

/** A field that holds turns, at least one. @throws DataError `bad-row` that says which turn is wrong */
export function messagesOf(row: Row, field: string): readonly Message[] {
  const value = row.value[field];
  if (!Array.isArray(value)) throw badRow(row, `\`${field}\` is not a list of messages`);
  if (value.length === 0) throw badRow(row, `\`${field}\` has no message`);
  return value.map((turn, i) => messageOf(row, `message ${i + 1} of \`${field}\``, turn));
}

function messageOf(row: Row, name: string, turn: unknown): Message {
  if (typeof turn !== 'object' || turn === null)
    throw badRow(row, `${name} is not an object with \`role\` and \`content\``);
  const { role, content } = turn as Record<string, unknown>;
  const absent = ['role', 'content'].filter(
    (field) => (turn as Record<string, unknown>)[field] === undefined,
  );
  if (absent.length > 0) {
    const keys = Object.keys(turn);
    throw badRow(
      row,
      `${name} has no \`${absent.join('` and no `')}\`; it has ${keys.join(', ') || 'nothing'}`,
    );
  }
  if (!roles.includes(role as Role)) {
    const near = typeof role === 'string' ? nearest(role, roles) : undefined;
    const hint = near === undefined ? `roles are ${roles.join(', ')}` : `did you mean \`${near}\`?`;
    throw badRow(row, `${name} has the role ${JSON.stringify(role)}; ${hint}`);
  }
  if (typeof content !== 'string') throw badRow(row, `the content of ${name} is not text`);
  return { role: role as Role, content };
}
