import { Text } from 'ink';
import { displayWidth } from '../../compiler/source/width.ts';
import { formatBytes } from '../format-numbers.ts';
import { keyFigures, tokenRate } from '../metric-names.ts';
import type { RunView, StageView } from '../view-model.ts';

interface Props {
  readonly view: RunView;
  readonly stage: StageView;
  readonly columns: number;
}

const gap = '   ';

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
      {fitting(wanted, columns - 2).join(gap)}
    </Text>
  );
}

function fitting(parts: readonly string[], columns: number): readonly string[] {
  let used = 0;
  return parts.filter((part) => {
    const next = displayWidth(part) + (used === 0 ? 0 : gap.length);
    if (used + next > columns) return false;
    used += next;
    return true;
  });
}
