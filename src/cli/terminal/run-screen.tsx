import { Box, Static, Text } from 'ink';
import { oneLine } from '../fit-text.ts';
import { formatEta } from '../format-numbers.ts';
import { chartsOf } from '../metric-names.ts';
import type { Message, RunView, StageView } from '../view-model.ts';
import { Chart } from './chart.tsx';
import { FiguresLine } from './figures-line.tsx';
import { Footer } from './footer.tsx';
import { layOut } from './layout.ts';
import { MessageLines } from './message-lines.tsx';
import { ProgressLine } from './progress-line.tsx';
import { type ScrollItem, ScrollLine } from './scroll-line.tsx';
import { StageRow } from './stage-row.tsx';

export interface RunScreenProps {
  readonly view: RunView;
  readonly scrolled: readonly ScrollItem[];
  readonly columns: number;
  readonly rows: number;
  /** Milliseconds on the view's clock. */
  readonly now: number;
  readonly resume: string;
}

/** The live view of a run. Finished stages and warnings stand above it and scroll away. */
export function RunScreen(props: RunScreenProps) {
  return (
    <>
      <Static items={[...props.scrolled]}>
        {(item, i) => <ScrollLine key={i} item={item} columns={props.columns} />}
      </Static>
      {props.view.status === undefined && <Live {...props} />}
    </>
  );
}

function Live({ view, columns, rows, now, resume }: RunScreenProps) {
  const stage = view.stages.find(({ id, state }) => id === view.current && state === 'running');
  const charts = stage === undefined ? [] : chartsOf(stage.metrics);
  const messages = liveMessages(view, stage);
  const layout = layOut(columns, rows, { charts: charts.length, messages: messages.length });
  const chartWidth = layout.chartColumns + 10;
  return (
    <Box flexDirection="column" width={columns}>
      {layout.gaps && <Text> </Text>}
      {layout.header && <Header view={view} now={now} />}
      {layout.stages && <StageRow view={view} columns={columns} />}
      {layout.gaps && <Text> </Text>}
      {stage === undefined ? (
        <Text dimColor>{view.run === undefined ? 'starting…' : 'next stage…'}</Text>
      ) : (
        <ProgressLine stage={stage} columns={columns} now={now} />
      )}
      {layout.figures && stage !== undefined && <FiguresLine view={view} stage={stage} columns={columns} />}
      {layout.gaps && <Text> </Text>}
      {layout.charts > 0 && stage !== undefined && (
        <Box flexDirection={layout.sideBySide ? 'row' : 'column'}>
          {charts.slice(0, layout.charts).map((metric) => (
            <Box key={metric} width={chartWidth}>
              <Chart
                metric={metric}
                series={stage.history[metric]!}
                columns={layout.chartColumns}
                rows={layout.chartRows}
              />
            </Box>
          ))}
        </Box>
      )}
      {layout.messages > 0 && <MessageLines messages={messages.slice(-layout.messages)} />}
      {layout.gaps && <Text> </Text>}
      {layout.footer && <Footer stopping={view.stopping} resume={resume} columns={columns} />}
    </Box>
  );
}

function Header({ view, now }: { readonly view: RunView; readonly now: number }) {
  const elapsed = view.startedAt === undefined ? '' : `  ${formatEta((now - view.startedAt) / 1000)}`;
  return (
    <Text wrap="truncate">
      <Text bold>{view.pipeline ?? 'ftc'}</Text>
      <Text dimColor>
        {view.device === undefined ? '' : `  on ${view.device}`}
        {elapsed}
        {view.run === undefined ? '' : `  run ${view.run}`}
      </Text>
    </Text>
  );
}

/** What is worth a line for a while: remarks, and the latest text of the running stage. Warnings have scrolled away. */
function liveMessages(view: RunView, stage: StageView | undefined): readonly Message[] {
  const remarks = view.messages.filter(({ level }) => level === 'info');
  const sample = stage?.samples.at(-1)?.samples[0];
  if (stage === undefined || sample === undefined) return remarks;
  const text = `${oneLine(sample.prompt)} → ${oneLine(sample.completion)}`;
  return [...remarks, { stage: stage.id, level: 'info', text }];
}
