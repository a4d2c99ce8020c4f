// An engine that trains nothing: it says what a real one would say over the same channel, as fast as its request asks.
// FAKE_ENGINE (JSON) is the scenario: how long a step takes, how many there are, and what goes wrong.
const { stepMilliseconds = 0, steps = 20, fail } = JSON.parse(process.env.FAKE_ENGINE ?? '{}');
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let stopping = false;
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(1));

const send = (event) => new Promise((resolve) => process.send(event, resolve));
const started = Date.now();
const seconds = () => (Date.now() - started) / 1000;

const finish = async (status, exit_code) => {
  await send({ type: 'run_finished', run: 'r1', status, exit_code, seconds: seconds() });
  process.disconnect();
};

const metricsAt = {
  pretrain: (t) => ({
    loss: 3 * Math.exp(-3 * t) + 1 + 0.1 * Math.sin(40 * t),
    learning_rate: 3e-4,
    grad_norm: 1 - t / 2,
    tokens_per_second: 5120,
  }),
  sft: (t) => ({
    loss: 2.3 * Math.exp(-2 * t) + 0.4,
    mean_token_accuracy: 0.3 + 0.5 * t,
    learning_rate: 2e-4,
    tokens_per_second: 4800,
  }),
  rm: (t) => ({
    loss: 0.7 * Math.exp(-2 * t),
    accuracy: 0.5 + 0.45 * t,
    margin: 2 * t,
    tokens_per_second: 4100,
  }),
  ppo: (t) => ({
    'objective/scores': -0.5 + 2 * t,
    'objective/kl': 4 * t * t,
    'val/ratio': 1,
    'policy/clipfrac_avg': 0.02,
    lr: 1e-5,
    tokens_per_second: 900,
  }),
};

async function train(stage, action = 'run', from = 0) {
  const began = seconds();
  await send({
    type: 'stage_started',
    stage,
    kind: stage,
    action,
    steps,
    ...(from ? { from_step: from } : {}),
  });
  for (let step = from + 1; step <= steps; step++) {
    if (stepMilliseconds > 0) await pause(stepMilliseconds);
    await send({ type: 'step', stage, step, steps, metrics: metricsAt[stage](step / steps) });
    if (fail === 'crash' && stage === 'sft' && step === 7) process.abort();
    if (fail === 'memory' && stage === 'sft' && step === 7) process.kill(process.pid, 'SIGKILL');
    if (fail === 'throw' && stage === 'sft' && step === 7) throw new Error('a kernel is missing');
    if (fail === 'diverge' && stage === 'sft' && step === 7) {
      await send({ type: 'step', stage, step, steps, metrics: { loss: Number.NaN } });
      await send({
        type: 'diagnostic',
        stage,
        code: 'FTP6003',
        message: '`sft` diverged: loss is NaN at step 7',
        file: 'medical.ftp',
        line: 13,
        column: 5,
        notes: ['lr is 0.5'],
        help: ['use a smaller lr'],
      });
      await finish('failed', 1);
      return false;
    }
    if (step === Math.ceil(steps / 2)) {
      await send({ type: 'evaluated', stage, step, metrics: { eval_loss: 2.2 - step / steps } });
      await send({ type: 'checkpoint', stage, step });
    }
    if (stopping) {
      await send({ type: 'checkpoint', stage, step });
      await finish('stopped', 130);
      return false;
    }
  }
  await send({
    type: 'stage_finished',
    stage,
    action,
    seconds: seconds() - began,
    metrics: metricsAt[stage](1),
    artifacts: { policy: `.ftc/objects/${stage}` },
  });
  return true;
}

async function run() {
  await send({ type: 'version', format_version: '1.0', ftc: 'engine' });
  await send({
    type: 'run_started',
    run: 'r1',
    pipeline: 'medical',
    stages: ['pretrain', 'sft', 'quick', 'gate', 'rm', 'ppo'],
    device: 'cpu',
  });
  if (fail === 'early') process.exit(9);
  await send({ type: 'stage_started', stage: 'pretrain', kind: 'pretrain', action: 'cached', steps: 0 });
  await send({
    type: 'stage_finished',
    stage: 'pretrain',
    action: 'cached',
    seconds: 0,
    metrics: { loss: 1.31 },
    artifacts: { policy: '.ftc/objects/pretrain' },
  });
  await send({
    type: 'message',
    stage: 'sft',
    level: 'info',
    text: '1,200 rows, 4 longer than the context dropped',
  });
  if (!(await train('sft'))) return;
  await send({ type: 'message', stage: 'quick', level: 'warning', text: 'only 12 rows are held out' });
  await send({ type: 'stage_started', stage: 'quick', kind: 'eval', action: 'run', steps: 0 });
  await pause(stepMilliseconds * 5);
  await send({
    type: 'samples',
    stage: 'quick',
    step: 0,
    samples: [
      {
        prompt: 'What is asthma?',
        completion: 'A cough.',
        expected: 'A disease of the airways.',
        correct: false,
      },
    ],
  });
  await send({
    type: 'stage_finished',
    stage: 'quick',
    action: 'run',
    seconds: 0.5,
    metrics: { perplexity: 12.25, token_accuracy: 0.61 },
    artifacts: {},
  });
  const passed = fail !== 'gate';
  await send({ type: 'stage_started', stage: 'gate', kind: 'gate', action: 'run', steps: 0 });
  await send({
    type: 'gate',
    stage: 'gate',
    passed,
    conditions: [{ text: 'quick.perplexity <= 40', value: passed ? 12.25 : 52.1, passed }],
  });
  if (!passed) {
    await send({
      type: 'diagnostic',
      stage: 'gate',
      code: 'FTP6004',
      message: 'the gate was not met: quick.perplexity <= 40',
      file: 'medical.ftp',
      line: 15,
      column: 5,
      notes: [],
      help: [],
    });
    return finish('gate_failed', 3);
  }
  await send({
    type: 'stage_finished',
    stage: 'gate',
    action: 'run',
    seconds: 0,
    metrics: {},
    artifacts: {},
  });
  if (!(await train('rm'))) return;
  if (!(await train('ppo', 'resume', 2))) return;
  await send({
    type: 'samples',
    stage: 'ppo',
    step: steps,
    samples: [{ prompt: 'What is asthma?', completion: 'A disease of the airways.', reward: 1.4 }],
  });
  await finish('ok', 0);
}

process.on('message', (message) => {
  if (message.type === 'run') void run();
  if (message.type === 'stop') stopping = fail !== 'deaf';
});
