import { DataError } from '../data-error.ts';
import { type SidedRow, withoutContinues } from '../row.ts';
import type { Source, SourceCall } from '../source.ts';

export const mix: Source = {
  entry: {
    name: 'mix',
    summary: 'rows of several data items together',
    details: `Without \`weights\` every row comes once, one data item after another. With \`weights\` rows alternate in that
proportion (of rows; for text, of pieces of text) until each item has been read to its end at least once; an item that
ends earlier begins again, so nothing is left out and some rows come more than once. Rows keep the side, train or test,
that they have in their own data item.`,
    example: 'data both = mix(notes consult weights=3,1)',
    options: {
      inputs: {
        description: 'the data items, in order',
        type: 'array',
        items: { type: 'string' },
        minItems: 1,
        refers: 'data',
        position: 0,
      },
      weights: {
        description: 'how many rows of each, in proportion to the others; as many numbers as data items',
        type: 'array',
        items: { type: 'number', exclusiveMinimum: 0 },
        minItems: 1,
        defaultNote: 'every row once',
      },
    },
    required: ['inputs'],
  },
  files: async () => [],
  async *rows(call) {
    const rows = call.options.weights === undefined ? concatenate(call) : alternate(call);
    for await (const row of rows) yield withoutContinues(row);
  },
};

async function* concatenate(call: SourceCall): AsyncGenerator<SidedRow> {
  for (const input of call.inputs) yield* call.open(input);
}

/** Always the input that is furthest behind its share; the first of equals. */
async function* alternate(call: SourceCall): AsyncGenerator<SidedRow> {
  const weights = call.options.weights as readonly number[];
  if (weights.length !== call.inputs.length) {
    const why = `it has ${call.inputs.length} data items and ${weights.length} weights`;
    throw new DataError('stage-failed', { stage: 'mix', why });
  }
  const streams = call.inputs.map((input, i) => ({
    open: () => call.open(input)[Symbol.asyncIterator](),
    rows: call.open(input)[Symbol.asyncIterator](),
    weight: weights[i]!,
    given: 0,
    finished: false,
  }));
  let live = streams;
  for (;;) {
    const next = live.reduce((best, s) =>
      (s.given + 1) / s.weight < (best.given + 1) / best.weight ? s : best,
    );
    let step = await next.rows.next();
    if (step.done) {
      next.finished = true;
      if (live.every((stream) => stream.finished)) return;
      // An input without a row on this side has nothing to repeat.
      if (next.given === 0) live = live.filter((stream) => stream !== next);
      else {
        next.rows = next.open();
        step = await next.rows.next();
      }
    }
    if (!step.done) {
      next.given++;
      yield step.value;
    }
  }
}
