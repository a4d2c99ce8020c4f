/** What a run of medical.ftp must show on its event stream, whichever method its sft has. */
import { expect, it } from 'vitest';
import type { Recorded } from './run-pipeline.ts';

/** Defines the tests; `run` is asked when they run. */
export function acceptMedical(run: () => Recorded): void {
  it('runs to its end', () => {
    expect(run().code).toBe(0);
    expect(run().events.at(-1)).toMatchObject({ type: 'run_finished', status: 'ok' });
  });

  it('lowers the held-out loss of pretraining by 40% and more', () => {
    const before = run().before('pretrain').eval_loss!;
    expect(before).toBeGreaterThan(7);
    expect(run().metrics('pretrain').eval_loss!).toBeLessThan(0.6 * before);
  });

  it('answers questions about facts that only the notes tell, after sft and not before', () => {
    expect(run().metrics('before').accuracy!).toBeLessThan(0.1);
    expect(run().metrics('quick').accuracy!).toBeGreaterThanOrEqual(0.6);
    expect(run().metrics('quick').rows!).toBeGreaterThan(150);
    const gate = run().events.find((event) => event.type === 'gate');
    expect(gate).toMatchObject({ passed: true, conditions: [{ value: run().metrics('quick').accuracy! }] });
  });

  it('tells the better of two answers on held-out pairs', () => {
    expect(run().metrics('rm').eval_accuracy!).toBeGreaterThanOrEqual(0.85);
  });

  it('raises the reward by a standard deviation and stays near the policy it started from', () => {
    // Scores are in standard deviations of the first answers' rewards, from their mean.
    const steps = run().steps('ppo');
    expect(Math.abs(steps[0]!['objective/scores']!)).toBeLessThan(1e-4);
    expect(steps[0]!['objective/kl']!).toBeCloseTo(0, 3);
    const last = run().metrics('ppo');
    expect(last['objective/scores']!).toBeGreaterThanOrEqual(1);
    expect(last['objective/kl']!).toBeLessThan(10);
    expect(run().metrics('after').accuracy!).toBeGreaterThanOrEqual(0.6);
  });

  it('shows answers before and after', () => {
    const answers = (stage: string) =>
      run().events.flatMap((event) =>
        event.type === 'samples' && event.stage === stage ? event.samples : [],
      );
    const [before, quick] = [answers('before'), answers('quick')];
    expect(before.length).toBeGreaterThan(0);
    expect(quick.map((s) => s.prompt)).toEqual(before.map((s) => s.prompt));
    expect(before.filter((s) => s.correct).length).toBeLessThan(quick.filter((s) => s.correct).length);
  });
}
