import { render } from 'ink-testing-library';
import { describe, expect, it } from 'vitest';
import { RunScreen } from '../../src/cli/terminal/run-screen.tsx';
import type { ScrollItem } from '../../src/cli/terminal/scroll-line.tsx';
import { scrollItem } from '../../src/cli/terminal/terminal-face.tsx';
import { emptyView, type RunView, reduce, type ViewSignal } from '../../src/cli/view-model.ts';
import { displayWidth } from '../../src/compiler/source/width.ts';
import type { RunEvent } from '../../src/runtime/run/events.ts';
import { happyRun } from './recorded-run.ts';

/** The frame after the events, an event every 100 ms. */
function frame(events: readonly (RunEvent | ViewSignal)[], columns = 80, rows = 24): string {
  let view: RunView = emptyView;
  const scrolled: ScrollItem[] = [];
  events.forEach((event, i) => {
    view = reduce(view, event, i * 100);
    const item = scrollItem(event, view);
    if (item !== undefined) scrolled.push(item);
  });
  const now = events.length * 100;
  const shown = render(
    <RunScreen
      view={view}
      scrolled={scrolled}
      columns={columns}
      rows={rows}
      now={now}
      resume="ftc run medical.ftp"
    />,
  );
  const text = shown.lastFrame() ?? '';
  shown.unmount();
  return text;
}

const duringSft = happyRun.slice(0, happyRun.findIndex(({ type }) => type === 'checkpoint') + 1);
const duringPpo = happyRun.slice(0, -2);
const trimmed = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');

describe('the live view', () => {
  it('shows the pipeline, the progress, the figures and a curve of the loss', () => {
    expect(trimmed(frame([...duringSft, { type: 'memory', bytes: 1.25e9 }], 80, 20))).toMatchSnapshot();
  });

  it('charts reward and KL of ppo, and the latest sample', () => {
    const text = frame(duringPpo);
    expect(text).toContain('reward  1.500 → 2');
    expect(text).toContain('KL  0.500 → 0.500');
    expect(text).toContain('ppo: What is asthma? → A disease of the airways.');
  });

  it('lets finished stages and warnings scroll away as one line each', () => {
    const lines = frame(duringPpo).split('\n');
    expect(lines.slice(0, 5).map((line) => line.trimEnd())).toEqual([
      '= pretrain  cached  loss 1.310',
      'warning: sft: only 12 rows are held out',
      '✔ sft        12.4s  eval loss 2.600 → 1.500',
      '✔ gate          0s',
      '    ✔ sft.eval_loss <= 2  is 1.500',
    ]);
  });

  it('leaves out whole figures and the marks of a chat where there is no room for them', () => {
    const long = { eval_loss: 0.25, initial_eval_loss: 6.5, eval_perplexity: 1.284, mean_reward: 1.5 };
    const events: readonly RunEvent[] = [
      ...duringPpo,
      {
        type: 'samples',
        stage: 'ppo',
        step: 3,
        samples: [{ prompt: '<|user|>Why?<|end|><|assistant|>', completion: 'So.\n<|end|>' }],
      },
      { type: 'stage_finished', stage: 'sft', action: 'run', seconds: 9, metrics: long, artifacts: {} },
    ];
    const text = trimmed(frame(events, 60, 20));
    expect(text).toContain('✔ sft         9.0s  eval loss 6.500 → 0.250\n');
    expect(text).toContain('  ppo: Why? → So.\n');
    expect(trimmed(frame(events, 90, 20))).toContain(
      'eval loss 6.500 → 0.250   eval perplexity 1.284   mean',
    );
  });

  it('says what a stop does and how to go on', () => {
    expect(frame(duringSft)).toContain('q finish this step, save and leave');
    expect(frame([...duringSft, { type: 'stopping' }])).toContain('finishing this step, saving…');
    expect(frame([...duringSft, { type: 'stopping' }], 100)).toContain('go on with: ftc run medical.ftp');
  });

  it.each([
    [80, 24],
    [40, 24],
    [40, 10],
    [20, 8],
    [80, 5],
    [200, 60],
  ])('fits %i columns and %i rows', (columns, rows) => {
    for (const events of [duringSft.slice(0, 1), duringSft.slice(0, 5), duringSft, duringPpo]) {
      // Without what has scrolled away above it.
      const lines = frame(events.map(silent), columns, rows).split('\n');
      expect(lines.length).toBeLessThanOrEqual(rows - 1);
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  it('keeps the running stage in sight where the pipeline is wider than the terminal', () => {
    const stages = Array.from({ length: 12 }, (_, i) => `stage-${i}`);
    const events: readonly RunEvent[] = [
      { type: 'run_started', run: 'r', pipeline: 'long', stages, device: 'cpu' },
      { type: 'stage_started', stage: 'stage-6', kind: 'sft', action: 'run', steps: 3 },
    ];
    const row = frame(events, 50)
      .split('\n')
      .find((line) => line.includes('●'))!;
    expect(row.trimEnd()).toBe('… → ● stage-6 → ○ stage-7 → ○ stage-8 → …');
  });

  it('is empty once the run is over', () => {
    expect(frame(happyRun)).not.toContain('q finish');
  });
});

/** The same event, without anything that scrolls away. */
function silent(event: RunEvent): RunEvent {
  return event.type === 'stage_finished' ||
    event.type === 'gate' ||
    (event.type === 'message' && event.level !== 'info')
    ? { type: 'version', format_version: '1.0', ftc: '' }
    : event;
}
