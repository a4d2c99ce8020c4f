/** A short run as the engine tells it: a cached stage, a trained one, a gate, a resumed one. */
import type { RunEvent } from '../../src/runtime/run/events.ts';

const sftSteps = [2.4, 2, 1.6, 1.2].map(
  (loss, i): RunEvent => ({
    type: 'step',
    stage: 'sft',
    step: i + 1,
    steps: 8,
    metrics: { loss, mean_token_accuracy: 0.3 + i / 10, learning_rate: 2e-4, tokens_per_second: 5120 },
  }),
);

const ppoSteps = [3, 4].map(
  (step): RunEvent => ({
    type: 'step',
    stage: 'ppo',
    step,
    steps: 4,
    metrics: { 'objective/scores': step / 2, 'objective/kl': 0.5, lr: 1e-5 },
  }),
);

export const happyRun: readonly RunEvent[] = [
  { type: 'version', format_version: '1.0', ftc: '0.1.0' },
  {
    type: 'run_started',
    run: 'r1',
    pipeline: 'medical',
    stages: ['pretrain', 'sft', 'gate', 'ppo'],
    device: 'cpu',
  },
  { type: 'stage_started', stage: 'pretrain', kind: 'pretrain', action: 'cached', steps: 0 },
  {
    type: 'stage_finished',
    stage: 'pretrain',
    action: 'cached',
    seconds: 0,
    metrics: { loss: 1.31 },
    artifacts: {},
  },
  { type: 'stage_started', stage: 'sft', kind: 'sft', action: 'run', steps: 8 },
  { type: 'message', stage: 'sft', level: 'info', text: '1,200 rows' },
  ...sftSteps,
  { type: 'evaluated', stage: 'sft', step: 4, metrics: { eval_loss: 1.5 } },
  { type: 'checkpoint', stage: 'sft', step: 4 },
  { type: 'message', stage: 'sft', level: 'warning', text: 'only 12 rows are held out' },
  {
    type: 'stage_finished',
    stage: 'sft',
    action: 'run',
    seconds: 12.4,
    metrics: { loss: 0.8, initial_eval_loss: 2.6, eval_loss: 1.5 },
    artifacts: { policy: '.ftc/objects/sft' },
  },
  { type: 'stage_started', stage: 'gate', kind: 'gate', action: 'run', steps: 0 },
  {
    type: 'gate',
    stage: 'gate',
    passed: true,
    conditions: [{ text: 'sft.eval_loss <= 2', value: 1.5, passed: true }],
  },
  { type: 'stage_finished', stage: 'gate', action: 'run', seconds: 0, metrics: {}, artifacts: {} },
  { type: 'stage_started', stage: 'ppo', kind: 'ppo', action: 'resume', steps: 4, from_step: 2 },
  {
    type: 'samples',
    stage: 'ppo',
    step: 0,
    samples: [{ prompt: 'What is asthma?', completion: 'a cough', reward: -1 }],
  },
  ...ppoSteps,
  {
    type: 'samples',
    stage: 'ppo',
    step: 4,
    samples: [{ prompt: 'What is asthma?', completion: 'A disease of the airways.', reward: 1.5 }],
  },
  {
    type: 'stage_finished',
    stage: 'ppo',
    action: 'resume',
    seconds: 61,
    metrics: { 'objective/scores': 2, 'objective/kl': 0.5 },
    artifacts: { policy: '.ftc/objects/ppo' },
  },
  { type: 'run_finished', run: 'r1', status: 'ok', exit_code: 0, seconds: 81.2 },
];
