/** The tokens of a sequence with how likely each was, for people. */

import { lacksTokenizer } from '../runtime/run/missing-tokenizer.ts';
import type { Score, TokenScores } from '../runtime/run/score.ts';
import type { ScoreInput } from '../runtime/run/score-input.ts';
import type { Policy } from '../runtime/stages/stage.ts';
import { padDisplay, truncateDisplay } from './fit-text.ts';
import type { InputLine } from './input-lines.ts';
import type { Style } from './style.ts';

interface Scored {
  readonly line: InputLine;
  readonly input: ScoreInput;
}

const TOKEN_COLUMNS = 24;
/** log p above which a token was expected, and below which it was a surprise: one half, and one in a hundred. */
const EXPECTED = Math.log(0.5);
const SURPRISING = Math.log(0.01);

export function scoreTable(
  { line, input }: Scored,
  score: Score,
  model: Pick<Policy, 'tokenizer'>,
  style: Style,
): readonly string[] {
  const name = style.bold(`line ${line.number}`);
  if ('reward' in score) return [`${name}  reward ${figure(score.reward)}  (${score.ids.length} tokens)`];
  const text = lacksTokenizer(model)
    ? () => ''
    : (id: number) => padDisplay(truncateDisplay(written(model, id), TOKEN_COLUMNS), TOKEN_COLUMNS);
  return [
    `${name}  ${summary(score)}`,
    ...score.ids.map((id, i) => {
      const counts = input.counted[i] === 1;
      const token = `${text(id)}${String(id).padStart(8)}`;
      const logprob = score.logprobs[i - 1];
      if (logprob === undefined) return style.dim(`  ${token}`);
      const cell = `${token}  ${figure(logprob).padStart(8)}`;
      return `  ${counts ? colour(logprob, style)(cell) : style.dim(cell)}`;
    }),
  ];
}

function summary({ loss, perplexity, loss_tokens, ids }: TokenScores): string {
  if (loss === null) return 'nothing to score: no token stands before one that counts';
  const of = loss_tokens === ids.length - 1 ? '' : ` of ${ids.length}`;
  const over = `${loss_tokens}${of} token${loss_tokens === 1 && of === '' ? '' : 's'}`;
  return `loss ${figure(loss)}  perplexity ${figure(perplexity!)}  (over ${over})`;
}

function colour(logprob: number, style: Style): (text: string) => string {
  if (logprob >= EXPECTED) return style.green;
  return logprob >= SURPRISING ? (text) => text : style.red;
}

const figure = (value: number): string => String(Number(value.toPrecision(4)));

/** As text where it is some; as the vocabulary writes it where it is a part of a character. */
function written({ tokenizer }: Pick<Policy, 'tokenizer'>, id: number): string {
  const text = tokenizer.decode([id]);
  if (!text.includes('\uFFFD')) return JSON.stringify(text).replace(/[\u007f-\u009f]/g, '·');
  return (tokenizer.tokenOf(id) ?? '').replace(/\p{Cc}/gu, '·');
}
