import { Text } from 'ink';
import { displayWidth } from '../../compiler/source/width.ts';
import { stageMark } from '../stage-mark.ts';
import type { RunView, StageView } from '../view-model.ts';
import { fitStages } from './stage-window.ts';

const arrow = ' → ';

/** The pipeline as one line of stages with their states: `✔ pretrain → ● sft → ○ rm`. */
export function StageRow({ view, columns }: { readonly view: RunView; readonly columns: number }) {
  const { stages } = view;
  const current = Math.max(
    0,
    stages.findIndex(({ id }) => id === view.current),
  );
  const widths = stages.map(({ id }) => displayWidth(id) + 2);
  const { first, end } = fitStages(widths, current, columns, arrow.length);
  return (
    <Text wrap="truncate">
      {first > 0 && <Text dimColor>…{arrow}</Text>}
      {stages.slice(first, end).map((stage, i) => (
        <Text key={stage.id}>
          {i > 0 && <Text dimColor>{arrow}</Text>}
          <StageName stage={stage} />
        </Text>
      ))}
      {end < stages.length && <Text dimColor>{arrow}…</Text>}
    </Text>
  );
}

function StageName({ stage }: { readonly stage: StageView }) {
  const { sign, color } = stageMark(stage.state);
  const paint = color === 'dim' ? { dimColor: true } : { color };
  return (
    <Text>
      <Text {...paint}>{sign}</Text>{' '}
      <Text
        bold={stage.state === 'running'}
        dimColor={stage.state === 'waiting' || stage.state === 'skipped'}
      >
        {stage.id}
      </Text>
    </Text>
  );
}
