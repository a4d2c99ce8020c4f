import { Text } from 'ink';
import { displayWidth } from '../../compiler/source/width.ts';

interface Props {
  readonly stopping: boolean;
  readonly resume: string;
  readonly columns: number;
}

/** What the keys do; while stopping, what happens and how to go on. */
export function Footer({ stopping, resume, columns }: Props) {
  if (!stopping) {
    return (
      <Text wrap="truncate" dimColor>
        q {columns < 50 ? 'save and leave' : 'finish this step, save and leave'}
      </Text>
    );
  }
  const long = `finishing this step, saving…  go on with: ${resume}  (q: leave now)`;
  return (
    <Text wrap="truncate" color="yellow">
      {displayWidth(long) <= columns ? long : 'finishing this step, saving…'}
    </Text>
  );
}
