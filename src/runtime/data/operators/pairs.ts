import { badRow, DataError } from '../data-error.ts';
import type { Message } from '../messages.ts';
import type { SidedRow } from '../row.ts';
import { canonicalJson, defaultTestShare, sideOf } from '../row-hash.ts';
import { labelOf } from '../shapes/unpaired.ts';
import { promptCompletionOf } from '../shapes.ts';
import type { Operator } from '../source.ts';

type Answer = string | readonly Message[];

/** Judged answers to one prompt that have no partner yet: all accepted, or all turned down. */
interface Waiting {
  readonly label: boolean;
  readonly answers: Answer[];
}

export const pairs: Operator = {
  entry: {
    name: 'pairs',
    summary: 'preferences from answers that were judged one by one',
    details: `Rows with \`prompt\`, \`completion\` (or \`messages\`) and \`label\` (true or false) become rows with \`prompt\`, \`chosen\` and
\`rejected\`: the first accepted answer to a prompt with the first that was turned down, the second with the second, and so on.
Answers without a partner are left out; where there is no pair at all, that is an error. All pairs of a prompt are on one side
of the split.`,
    example: 'data prefs = jsonl("data/judged.jsonl") → pairs()',
    options: {},
  },
  needsAll: true,
  async *apply(rows) {
    const waiting = new Map<string, Waiting>();
    let [seen, made, last] = [0, 0, undefined as SidedRow | undefined];
    for await (const row of rows) {
      const { prompt, answer, label } = judgedAnswer(row);
      [seen, last] = [seen + 1, row];
      const key = canonicalJson(prompt);
      const open = waiting.get(key);
      if (open === undefined || open.label === label || open.answers.length === 0) {
        if (open?.label === label) open.answers.push(answer);
        else waiting.set(key, { label, answers: [answer] });
        continue;
      }
      const other = open.answers.shift()!;
      const [chosen, rejected] = label ? [answer, other] : [other, answer];
      made++;
      const { file, line } = row;
      yield { value: { prompt, chosen, rejected }, file, line, side: sideOf(prompt, defaultTestShare) };
    }
    if (made === 0 && last !== undefined) {
      const why = `none of its ${seen} rows has a partner: no prompt has an accepted answer and one that was turned down`;
      throw new DataError('empty-data', { path: last.file, why });
    }
  },
};

function judgedAnswer(row: SidedRow): {
  readonly prompt: unknown;
  readonly answer: Answer;
  readonly label: boolean;
} {
  const label = labelOf(row);
  if (label === undefined) throw badRow(row, 'the row has no `label` that is true or false');
  const { label: _, ...value } = row.value;
  const example = promptCompletionOf({ ...row, value });
  if (example.kind === 'text') return { prompt: example.prompt, answer: example.completion, label };
  return { prompt: example.prompt, answer: example.messages.slice(example.prompt.length), label };
}
