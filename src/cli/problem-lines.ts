/** A failed run's diagnostic as people read it, for faces that have no source text at hand. */
import type { Style } from './style.ts';
import type { Problem } from './view-model.ts';

export function problemLines(problem: Problem, style: Style): readonly string[] {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  return [
    `${style.red(`error[${problem.code}]`)}: ${problem.message}`,
    ...(place === '' ? [] : [`  at ${place}`]),
    ...problem.notes.map((note) => `  = note: ${note}`),
    ...problem.help.map((help) => `  = help: ${help}`),
  ];
}
