import { Box, Text } from 'ink';
import { formatMetric } from '../format-numbers.ts';
import { titleOf } from '../metric-names.ts';
import type { Series } from '../series.ts';
import { drawCurve } from './braille.ts';

interface Props {
  readonly metric: string;
  readonly series: Series;
  readonly columns: number;
  readonly rows: number;
}

const labelWidth = 7;

/** A metric's curve over the stage so far, with its first and its latest value above it and its range at its left. */
export function Chart({ metric, series, columns, rows }: Props) {
  const curve = drawCurve(series.values, columns, rows);
  const [low, high] = [Math.min(...series.values), Math.max(...series.values)];
  const label = (row: number) => {
    if (row === 0) return `${formatMetric(high).padStart(labelWidth)} ┤`;
    if (row === rows - 1) return `${formatMetric(low).padStart(labelWidth)} ┤`;
    return `${' '.repeat(labelWidth)} │`;
  };
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">
        {' '.repeat(labelWidth + 2)}
        <Text bold>{titleOf(metric)}</Text>
        <Text dimColor>
          {'  '}
          {formatMetric(series.first)} → {formatMetric(series.last)}
        </Text>
      </Text>
      {curve.map((line, row) => (
        // The rows of a chart have no identity but their place.
        <Text key={row} wrap="truncate">
          <Text dimColor>{label(row)}</Text>
          <Text color="cyan">{line}</Text>
        </Text>
      ))}
    </Box>
  );
}
