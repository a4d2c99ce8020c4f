/** Turns of a conversation: OpenAI's `role` and `content`, or ShareGPT's `from` and `value`. */
import { nearest } from '../../compiler/diagnostics/nearest.ts';
import { badRow } from './data-error.ts';
import type { Row } from './row.ts';

/** A turn of a conversation. */
export interface Message {
  readonly role: Role;
  readonly content: string;
  /** 0: this answer of the assistant is read and not learned. */
  readonly weight?: 0;
}

const roles = ['system', 'user', 'assistant', 'tool'] as const;
type Role = (typeof roles)[number];

/** Other names in use; those of ShareGPT among them. */
const otherNames: Readonly<Record<string, Role>> = {
  developer: 'system',
  human: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bard: 'assistant',
  bing: 'assistant',
  bot: 'assistant',
  model: 'assistant',
  observation: 'tool',
  function: 'tool',
  function_response: 'tool',
};

/** A field that holds turns, at least one. @throws DataError `bad-row` that says which turn is wrong */
export function messagesOf(row: Row, field: string): readonly Message[] {
  const value = row.value[field];
  if (!Array.isArray(value)) throw badRow(row, `\`${field}\` is not a list of messages`);
  if (value.length === 0) throw badRow(row, `\`${field}\` has no message`);
  return value.map((turn, i) => messageOf(row, `message ${i + 1} of \`${field}\``, turn));
}

/** @param name what the turn is called in messages @throws DataError `bad-row` */
export function messageOf(row: Row, name: string, turn: unknown): Message {
  if (typeof turn !== 'object' || turn === null || Array.isArray(turn))
    throw badRow(row, `${name} is not an object with \`role\` and \`content\``);
  const fields = turn as Record<string, unknown>;
  refuseCalls(row, name, fields);
  const [roleField, contentField] =
    fields.role === undefined && has(fields, 'from') ? ['from', 'value'] : ['role', 'content'];
  const absent = [roleField, contentField].filter((field) => !has(fields, field!));
  if (absent.length > 0) {
    const keys = Object.keys(turn).filter((field) => has(fields, field));
    throw badRow(
      row,
      `${name} has no \`${absent.join('` and no `')}\`; it has ${keys.join(', ') || 'nothing'}`,
    );
  }
  const role = roleOf(row, name, fields[roleField!]);
  const content = contentOf(row, name, fields[contentField!]);
  const weight = weightOf(row, name, fields.weight);
  return { role, content, ...(weight === 0 && role === 'assistant' && { weight }) };
}

const has = (fields: Record<string, unknown>, field: string) =>
  fields[field] !== undefined && fields[field] !== null;

/** Calls of tools are no text: what a template would make of them is not known here. */
function refuseCalls(row: Row, name: string, fields: Record<string, unknown>): void {
  const calls = ['tool_calls', 'function_call'].find(
    (field) => has(fields, field) && (fields[field] as { length?: number }).length !== 0,
  );
  if (calls === undefined && fields.from !== 'function_call') return;
  const what = calls === undefined ? 'is a call of a function' : `has \`${calls}\``;
  throw badRow(
    row,
    `${name} ${what}: calls are not rendered; write them into the content as the model is to write them`,
  );
}

function roleOf(row: Row, name: string, given: unknown): Role {
  if (roles.includes(given as Role)) return given as Role;
  if (typeof given === 'string' && Object.hasOwn(otherNames, given)) return otherNames[given]!;
  const near = typeof given === 'string' ? nearest(given, roles) : undefined;
  const hint = near === undefined ? `roles are ${roles.join(', ')}` : `did you mean \`${near}\`?`;
  throw badRow(row, `${name} has the role ${JSON.stringify(given)}; ${hint}`);
}

/** Text, or a list of parts `{type: 'text', text}`, which are put together. */
function contentOf(row: Row, name: string, content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw badRow(row, `the content of ${name} is not text`);
  return content
    .map((part: unknown, i) => {
      if (typeof part === 'string') return part;
      const { type, text } = (part ?? {}) as { readonly type?: unknown; readonly text?: unknown };
      if ((type === 'text' || type === undefined) && typeof text === 'string') return text;
      throw badRow(
        row,
        `part ${i + 1} of the content of ${name} is ${JSON.stringify(type) ?? 'no text'}, and only text is read`,
      );
    })
    .join('');
}

function weightOf(row: Row, name: string, weight: unknown): 0 | 1 {
  if (weight === undefined || weight === null || weight === 1) return 1;
  if (weight === 0) return 0;
  throw badRow(row, `${name} has the weight ${JSON.stringify(weight)}; it is 0 (not learned) or 1`);
}
