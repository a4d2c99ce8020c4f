/** `ftc score`: how likely each token of a text is to a model, or what a reward model gives for it. */
import { explainFailure } from '../../runtime/run/failures.ts';
import { openAnyModel } from '../../runtime/run/open-model.ts';
import { type Score, Scorer } from '../../runtime/run/score.ts';
import { readScoreInput, type ScoreInput } from '../../runtime/run/score-input.ts';
import type { Policy, Reward } from '../../runtime/stages/stage.ts';
import type { RunCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { type InputLine, inputLines } from '../input-lines.ts';
import type { Output } from '../output.ts';
import { storeOf } from '../plan-file.ts';
import { problemLines } from '../problem-lines.ts';
import { scoreTable } from '../score-table.ts';

type Problem = NonNullable<ReturnType<typeof explainFailure>['diagnostic']>;
/** What became of a line. */
type Outcome = { readonly line: InputLine } & (
  | { readonly input: ScoreInput }
  | { readonly problem: Problem }
);

export const run: RunCommand = async (given, output) => {
  const [name, path = '-'] = given.positionals as [string, string?];
  const model = await openAnyModel(name, storeOf(undefined, given.value('store')), given.value('adapter'));
  const scorer = new Scorer(model);
  if (path === '-' && process.stdin.isTTY)
    output.error('one JSON object a line, such as {"text": "…"}; Ctrl-D ends');
  const show = given.has('json') ? jsonLine : tableOf(model);
  let exitCode: number = exitCodes.ok;
  try {
    for await (const lines of inputLines(path)) {
      const outcomes = lines.map((line) => read(line, path, model));
      const scores = await scorer.score(outcomes.flatMap((o) => ('input' in o ? [o.input] : [])));
      for (const outcome of outcomes) {
        const score = 'input' in outcome ? scores.shift() : undefined;
        if ('problem' in outcome) {
          output.error(problemLines(outcome.problem, output.errorStyle).join('\n'));
          exitCode = exitCodes.failed;
        }
        show(outcome, score, output);
      }
    }
  } finally {
    await scorer.dispose();
  }
  return exitCode;
};

/** A line that cannot be scored is told of and left out; what is wrong with the model or with ftc ends the command. */
function read(line: InputLine, path: string, model: Policy | Reward): Outcome {
  const file = path === '-' ? 'stdin' : path;
  try {
    return { line, input: readScoreInput(line.text, { file, line: line.number }, model) };
  } catch (error) {
    const { diagnostic } = explainFailure(error, undefined);
    if (diagnostic?.line === undefined) throw error;
    return { line, problem: diagnostic };
  }
}

/** One line of output for every line of input, in order. */
function jsonLine(outcome: Outcome, score: Score | undefined, output: Output): void {
  if ('input' in outcome) {
    output.line(JSON.stringify(score));
    return;
  }
  const { code, message } = outcome.problem;
  output.line(JSON.stringify({ line: outcome.line.number, error: { code, message } }));
}

function tableOf(model: Policy | Reward): typeof jsonLine {
  return (outcome, score, output) => {
    if ('input' in outcome)
      for (const line of scoreTable(outcome, score!, model, output.style)) output.line(line);
  };
}
