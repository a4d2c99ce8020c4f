import { Text } from 'ink';
import { displayWidth } from '../../compiler/source/width.ts';
import { truncateDisplay } from '../fit-text.ts';
import { formatEta, formatSeconds } from '../format-numbers.ts';
import { progressOf, remainingSeconds, type StageView } from '../view-model.ts';

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Milliseconds per sign; the view is drawn five times a second. */
const spinnerPeriod = 200;
const narrowestBar = 8;
const widestBar = 60;

interface Props {
  readonly stage: StageView;
  readonly columns: number;
  /** Milliseconds on the view's clock. */
  readonly now: number;
}

/** The running stage: a bar, how far it is, how long it will take. */
export function ProgressLine({ stage, columns, now }: Props) {
  const turn = spinner[Math.floor(now / spinnerPeriod) % spinner.length];
  const name = truncateDisplay(stage.id, Math.max(6, Math.floor(columns / 3)));
  const share = progressOf(stage);
  const figures = progressFigures(stage, now, columns);
  const room = columns - displayWidth(name) - 2 - 2 - displayWidth(figures) - 2;
  const width = Math.min(room, widestBar);
  const filled = Math.round(width * share);
  return (
    <Text wrap="truncate">
      <Text color="cyan">{turn}</Text> <Text bold>{name}</Text>
      {stage.steps > 0 && width >= narrowestBar && (
        <Text>
          {'  '}
          <Text color="cyan">{'━'.repeat(filled)}</Text>
          <Text dimColor>{'─'.repeat(width - filled)}</Text>
        </Text>
      )}
      {'  '}
      {figures}
    </Text>
  );
}

function progressFigures(stage: StageView, now: number, columns: number): string {
  if (stage.steps === 0) return formatEta((now - (stage.startedAt ?? now)) / 1000);
  const remaining = remainingSeconds(stage);
  const percent = `${Math.floor(progressOf(stage) * 100)}%`.padStart(4);
  const left =
    remaining === undefined
      ? ''
      : `  ${remaining < 60 ? formatEta(remaining) : formatSeconds(remaining)} left`;
  return columns < 50 ? `${percent}${left}` : `${percent}  ${stage.step}/${stage.steps}${left}`;
}
