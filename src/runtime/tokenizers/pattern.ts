/** Patterns of tokenizer.json: text, or a regular expression in the syntax of Oniguruma. */
import { type Component, unusable } from './component.ts';
import { compileSplit } from './engine.ts';
import { knownPatterns } from './known-patterns.ts';

/** Published patterns have up to 600 characters. */
const MAX_PATTERN_UNITS = 4096;

/**
 * The pattern of a component as a regular expression with the flags `gu`.
 * @throws TokenizerError
 */
export function patternIn(component: Component, key = 'pattern'): RegExp {
  const path = `${component.path}.${key}`;
  const given = component.fields[key] as { String?: unknown; Regex?: unknown } | undefined;
  const { String: text, Regex: source } = given ?? {};
  if (typeof text === 'string' && text !== '') return new RegExp(escaped(text), 'gu');
  if (typeof source !== 'string') throw unusable(path, 'has neither a String nor a Regex');
  if (source.length > MAX_PATTERN_UNITS)
    throw unusable(path, `is longer than ${MAX_PATTERN_UNITS} characters`);
  try {
    return compileSplit({ type: 'Split', pattern: { Regex: source }, behavior: 'Isolated', invert: false });
  } catch (error) {
    throw unusable(path, `is no regular expression that ftc runs (${(error as Error).message})`);
  }
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** Whether any regular expression in these parts is not one of those that are known to end soon. */
export function hasUnknownPattern(parts: readonly unknown[]): boolean {
  const pending = [...parts];
  for (let part = pending.pop(); pending.length > 0 || part !== undefined; part = pending.pop()) {
    if (typeof part !== 'object' || part === null) continue;
    const { Regex: source } = part as { Regex?: unknown };
    if (source !== undefined && !knownPatterns.has(String(source))) return true;
    for (const inner of Object.values(part)) pending.push(inner);
  }
  return false;
}
