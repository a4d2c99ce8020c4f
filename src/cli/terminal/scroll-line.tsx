import { Text } from 'ink';
import { fittingParts, padDisplay } from '../fit-text.ts';
import { formatMetric, formatSeconds } from '../format-numbers.ts';
import { conditionsOf } from '../gate-conditions.ts';
import { resultFigures } from '../metric-names.ts';
import { problemLines } from '../problem-lines.ts';
import { stageMark } from '../stage-mark.ts';
import { plainStyle } from '../style.ts';
import type { Message, Problem, StageView } from '../view-model.ts';

/** What scrolls away above the live view and stays in the terminal. */
export type ScrollItem =
  | StageItem
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'problem'; readonly problem: Problem };

interface StageItem {
  readonly kind: 'stage';
  readonly stage: StageView;
  /** Columns of the longest name of a stage. */
  readonly width: number;
}

interface Props {
  readonly item: ScrollItem;
  readonly columns: number;
}

export function ScrollLine({ item, columns }: Props) {
  switch (item.kind) {
    case 'stage':
      return <FinishedStage stage={item.stage} width={item.width} columns={columns} />;
    case 'message':
      return (
        <Text>
          <Text color={item.message.level === 'error' ? 'red' : 'yellow'}>{item.message.level}</Text>:{' '}
          {item.message.stage === undefined ? '' : `${item.message.stage}: `}
          {item.message.text}
        </Text>
      );
    case 'problem': {
      const [first, ...rest] = problemLines(item.problem, plainStyle);
      return (
        <Text>
          <Text color="red">{first}</Text>
          {rest.map((line) => `\n${line}`).join('')}
        </Text>
      );
    }
  }
}

/** A finished stage as one line, and a line per condition of a gate. */
function FinishedStage({ stage, width, columns }: Omit<StageItem, 'kind'> & { readonly columns: number }) {
  const { sign, color } = stageMark(stage.state);
  const paint = color === 'dim' ? { dimColor: true } : { color };
  const time = (stage.state === 'cached' ? 'cached' : formatSeconds(stage.seconds ?? 0)).padStart(7);
  const conditions = conditionsOf(stage);
  const figures = stage.kind === 'gate' ? [] : resultFigures(stage.results, 3);
  const room = columns - 2 - width - 1 - time.length - 2;
  return (
    <Text wrap={conditions.length > 0 ? 'wrap' : 'truncate'}>
      <Text {...paint}>{sign}</Text> {padDisplay(stage.id, width)} <Text dimColor>{time}</Text>
      {'  '}
      {fittingParts(figures, room, '   ')}
      {conditions.map(({ text, value, passed }) => (
        <Text key={text}>
          {'\n    '}
          <Text color={passed ? 'green' : 'red'}>{passed ? '✔' : '✗'}</Text> {text}
          <Text dimColor>{`  is ${formatMetric(value)}`}</Text>
        </Text>
      ))}
    </Text>
  );
}
