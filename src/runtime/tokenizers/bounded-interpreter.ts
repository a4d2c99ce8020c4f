import { Interpreter, type Scope, type Statement, type Value } from './jinja.ts';
import { stripped, strippingIn } from './strip.ts';

/** Steps of a rendering; a conversation of a hundred turns takes some ten thousand. */
const MAX_WORK = 2_000_000;
/** What a step may handle before it counts as more than one. */
const UNITS_PER_STEP = 64;
/** What a turn of a loop costs beside what is done in it: a scope of its own. */
const STEPS_PER_TURN = 8;
const MAX_TEXT_UNITS = 2 ** 25;
const MAX_ITEMS = 1_000_000;

/**
 * Jinja that ends: every step counts, long texts and lists as many steps, so that neither loops, nor recursion, nor
 * doubling of texts takes more than seconds or more memory than there is. `text`: UTF-16 units of what is rendered.
 */
export class BoundedInterpreter extends Interpreter {
  private work = 0;
  private readonly limit: number;
  /** Expressions that a loop goes through. */
  private readonly looped = new Set<Statement | undefined>();

  constructor(scope: Scope, text: number) {
    super(scope);
    this.limit = MAX_WORK + text;
  }

  override evaluate(statement: Statement | undefined, scope: Scope): Value {
    if (statement?.type === 'For' && statement.iterable !== undefined) this.looped.add(statement.iterable);
    const value = this.strip(statement, scope) ?? super.evaluate(statement, scope);
    this.work += 1 + this.sizeOf(value, statement);
    if (this.work > this.limit) throw new Error('it takes too many steps; does it loop?');
    return value;
  }

  /** `x.strip(y)` and `x | trim` as Python has them: the package strips what JavaScript does, whatever it is told. */
  private strip(statement: Statement | undefined, scope: Scope): Value | undefined {
    const call = statement === undefined ? undefined : strippingIn(statement);
    if (call === undefined) return undefined;
    const on = this.evaluate(call.on, scope);
    if (typeof on.value !== 'string') return undefined;
    const characters = call.characters && this.evaluate(call.characters, scope).value;
    return new (on.constructor as new (text: string) => Value)(stripped(on.value, call.sides, characters));
  }

  private sizeOf({ value }: Value, statement: Statement | undefined): number {
    if (typeof value === 'string') {
      if (value.length > MAX_TEXT_UNITS) throw new Error('it makes a text that is too long');
      return value.length / UNITS_PER_STEP;
    }
    const items = Array.isArray(value) ? value.length : value instanceof Map ? value.size : 0;
    if (items > MAX_ITEMS) throw new Error('it makes a list that is too long');
    if (this.looped.has(statement)) return items * STEPS_PER_TURN;
    const isNamed = statement?.type === 'Identifier' || statement?.type === 'MemberExpression';
    return isNamed ? 0 : items / UNITS_PER_STEP;
  }
}
