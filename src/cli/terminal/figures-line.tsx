import { Text } from 'ink';
import { fittingParts } from '../fit-text.ts';
import { formatBytes } from '../format-numbers.ts';
import { keyFigures, tokenRate } from '../metric-names.ts';
import type { RunView, StageView } from '../view-model.ts';

interface Props {
  readonly view: RunView;
  readonly stage: StageView;
  readonly columns: number;
}

/** The stage's latest figures, its speed and the memory it takes: as many as fit, whole ones. */
export function FiguresLine({ view, stage, columns }: Props) {
  const rate = tokenRate(stage.metrics);
  const wanted = [
    ...(rate === undefined ? [] : [rate]),
    ...(view.memory === undefined ? [] : [formatBytes(view.memory)]),
    ...keyFigures({ ...stage.evaluated, ...stage.metrics }, 6),
  ];
  return (
    <Text wrap="truncate">
      {'  '}
      {fittingParts(wanted, columns - 2, '   ')}
    </Text>
  );
}
