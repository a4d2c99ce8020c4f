import { describe, expect, it } from 'vitest';
import { extend, type Series } from '../../src/cli/series.ts';
import { emptyView, progressOf, type RunView, reduce, remainingSeconds } from '../../src/cli/view-model.ts';
import type { RunEvent } from '../../src/runtime/run/events.ts';
import { happyRun } from './recorded-run.ts';

const after = (events: readonly RunEvent[]): RunView =>
  events.reduce((view, event, i) => reduce(view, event, i * 100), emptyView);
const until = (type: RunEvent['type'], stage: string) => {
  const end = happyRun.findIndex((event) => event.type === type && 'stage' in event && event.stage === stage);
  return after(happyRun.slice(0, end + 1));
};
const stageOf = (view: RunView, id: string) => view.stages.find((stage) => stage.id === id)!;

describe('reduce', () => {
  it('knows every stage from the start', () => {
    const view = after(happyRun.slice(0, 2));
    expect(view.pipeline).toBe('medical');
    expect(view.stages.map(({ id, state }) => [id, state])).toEqual([
      ['pretrain', 'waiting'],
      ['sft', 'waiting'],
      ['gate', 'waiting'],
      ['ppo', 'waiting'],
    ]);
  });

  it('follows a stage from its steps', () => {
    const sft = stageOf(until('evaluated', 'sft'), 'sft');
    expect(sft).toMatchObject({
      state: 'running',
      step: 4,
      steps: 8,
      metrics: { loss: 1.2 },
      evaluated: { eval_loss: 1.5 },
    });
    expect(progressOf(sft)).toBe(0.5);
    // Steps arrive every 100 ms: four are left.
    expect(remainingSeconds(sft)).toBeCloseTo(0.4, 10);
    expect(sft.history.loss).toMatchObject({
      values: [2.4, 2, 1.6, 1.2],
      first: 2.4,
      last: 1.2,
      low: 1.2,
      high: 2.4,
    });
  });

  it('keeps the first and the latest samples, the gate and the results', () => {
    const view = after(happyRun);
    expect(view).toMatchObject({ status: 'ok', exitCode: 0, seconds: 81.2 });
    expect(view.stages.map(({ state }) => state)).toEqual(['cached', 'done', 'done', 'done']);
    const ppo = stageOf(view, 'ppo');
    expect(ppo.samples.map(({ step }) => step)).toEqual([0, 4]);
    expect(stageOf(view, 'gate').conditions).toEqual([
      { text: 'sft.eval_loss <= 2', value: 1.5, passed: true },
    ]);
    expect(stageOf(view, 'sft').results).toEqual({ loss: 0.8, initial_eval_loss: 2.6, eval_loss: 1.5 });
  });

  it('starts a resumed stage where it left off', () => {
    const ppo = stageOf(until('stage_started', 'ppo'), 'ppo');
    expect(ppo).toMatchObject({ step: 2, fromStep: 2, steps: 4, action: 'resume' });
    expect(remainingSeconds(ppo)).toBeUndefined();
  });

  it('marks a stage that failed, and those that never came', () => {
    const failed: readonly RunEvent[] = [
      ...happyRun.slice(0, 6),
      { type: 'diagnostic', stage: 'sft', code: 'FTP6001', message: 'diverged', notes: [], help: [] },
      { type: 'run_finished', run: 'r1', status: 'failed', exit_code: 1, seconds: 1 },
    ];
    const view = after(failed);
    expect(view.stages.map(({ state }) => state)).toEqual(['cached', 'failed', 'skipped', 'skipped']);
    expect(view.problems).toHaveLength(1);
  });

  it('keeps a gate failed when it finishes', () => {
    const gate = (event: RunEvent): RunEvent => (event.type === 'gate' ? { ...event, passed: false } : event);
    expect(stageOf(after(happyRun.map(gate)), 'gate').state).toBe('gate_failed');
  });
});

describe('a series', () => {
  it('stays short and keeps its mean', () => {
    let series: Series | undefined;
    const count = 100_000;
    for (let i = 0; i < count; i++) series = extend(series, i / count);
    expect(series!.values.length).toBeLessThanOrEqual(512);
    expect(series).toMatchObject({ first: 0, last: (count - 1) / count, stride: 256 });
    const mean = series!.values.reduce((sum, value) => sum + value, 0) / series!.values.length;
    expect(mean).toBeCloseTo(0.5, 2);
  });

  it('leaves out what no chart can draw', () => {
    expect(extend(extend(undefined, Number.NaN), 3).values).toEqual([3]);
    expect(extend(extend(undefined, 3), Number.POSITIVE_INFINITY).values).toEqual([3]);
  });
});
