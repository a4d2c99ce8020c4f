/** What we use of `@huggingface/jinja`, with types: its own declarations do not resolve under Node's module resolution. */
import * as jinja from '@huggingface/jinja';

export interface Scope {
  set(name: string, value: unknown): unknown;
}

/** A piece of a parsed template. */
export interface Statement {
  readonly type: string;
  /** Of a loop: what it goes through. */
  readonly iterable?: Statement;
  /** Of a call: what is called, and with what. */
  readonly callee?: Statement;
  readonly args?: readonly Statement[];
  /** Of a member: whose it is, and its name; in brackets where it is computed. */
  readonly object?: Statement;
  readonly property?: Statement;
  readonly computed?: boolean;
  /** Of a filter: what goes through it, and its name. */
  readonly operand?: Statement;
  readonly filter?: Statement;
  /** Of a name. */
  readonly value?: unknown;
}

export interface Value {
  readonly value: unknown;
}

interface Interpreting {
  run(program: Statement): Value;
  /** Every statement and expression goes through it, from the inside of others too. */
  evaluate(statement: Statement | undefined, scope: Scope): Value;
}

interface Package {
  readonly Environment: new (outer?: Scope) => Scope;
  readonly Interpreter: new (scope: Scope) => Interpreting;
  readonly tokenize: (template: string, options: object) => unknown;
  readonly parse: (tokens: unknown) => Statement;
}

export const { Environment, Interpreter, tokenize, parse } = jinja as unknown as Package;
