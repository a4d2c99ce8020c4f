/** `gate`: what must hold before the stages after it run. */

import type { Condition } from '../../compiler/graph/graph.ts';
import type { Stage } from './stage.ts';
import { StageError } from './stage.ts';

const holds: { readonly [C in Condition['comparison']]: (a: number, b: number) => boolean } = {
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
};

/** A gate that was not met; the run ends with exit code 3. */
export class GateFailed extends Error {
  override readonly name = 'GateFailed';
}

export const gate: Stage = {
  entry: {
    name: 'gate',
    summary: 'stops the pipeline where a metric is not good enough',
    details:
      'Takes conditions over metrics of earlier stages, `label.metric` or, where one stage alone makes it, `metric`. Prints the values; where one does not hold the run ends with exit code 3 and nothing after the gate runs.',
    example: 'gate(quick.accuracy >= 0.6  quick.perplexity <= 40)',
    methods: [],
    reads: [{ slot: 'metrics', required: false }],
    writes: [],
    metrics: [],
    conditions: true,
    options: {},
  },

  estimate: async () => ({ steps: 0, tokens: 0, work: [], diskBytes: 0, notes: [] }),

  async run(context) {
    const conditions = context.job.conditions.map((condition) => {
      const value = context.metricsOf(condition.job)[condition.metric];
      if (value === undefined)
        throw new StageError('stage-failed', `\`${condition.job}\` made no metric \`${condition.metric}\``, {
          notes: [`it made ${Object.keys(context.metricsOf(condition.job)).join(', ') || 'none'}`],
        });
      return { text: condition.text, value, passed: holds[condition.comparison](value, condition.value) };
    });
    const passed = conditions.every((c) => c.passed);
    context.emit({ type: 'gate', stage: context.job.id, passed, conditions });
    if (!passed)
      throw new GateFailed(
        conditions
          .filter((c) => !c.passed)
          .map((c) => `${c.text} (is ${c.value})`)
          .join(', '),
      );
    return { metrics: Object.fromEntries(conditions.map((c) => [c.text, c.value])) };
  },
};
