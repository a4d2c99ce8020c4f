/** Which metrics a person looks at first, and what to call them where there is little room. */
import type { Metrics } from '../runtime/run/events.ts';
import { formatCount, formatMetric } from './format-numbers.ts';

/** In order of interest: the first ones a stage has are its charts and its key figures. */
const interesting: readonly (readonly [metric: string, title: string])[] = [
  ['objective/scores', 'reward'],
  ['objective/kl', 'KL'],
  ['loss', 'loss'],
  ['eval_loss', 'eval loss'],
  ['eval_perplexity', 'eval perplexity'],
  ['perplexity', 'perplexity'],
  ['accuracy', 'accuracy'],
  ['eval_accuracy', 'eval accuracy'],
  ['exact', 'exact'],
  ['contains', 'contains'],
  ['reward_accuracy', 'reward accuracy'],
  ['mean_reward', 'mean reward'],
  ['mean_token_accuracy', 'token accuracy'],
  ['eval_mean_token_accuracy', 'eval token accuracy'],
  ['token_accuracy', 'token accuracy'],
  ['eval_token_accuracy', 'eval token accuracy'],
  ['eval_margin', 'eval margin'],
  ['eval_mean_reward', 'eval mean reward'],
  ['margin', 'margin'],
  ['val/ratio', 'ratio'],
  ['policy/clipfrac_avg', 'clipped'],
  ['loss/policy_avg', 'policy loss'],
  ['loss/value_avg', 'value loss'],
  ['learning_rate', 'lr'],
  ['lr', 'lr'],
];

const chartable = [
  'objective/scores',
  'objective/kl',
  'loss',
  'accuracy',
  'mean_token_accuracy',
  'mean_reward',
];

/** Bookkeeping that is shown elsewhere or is no result. */
const bookkeeping = new Set(['tokens_per_second', 'num_tokens', 'epoch', 'episode', 'step']);

export function titleOf(metric: string): string {
  return interesting.find(([name]) => name === metric)?.[1] ?? metric.replaceAll('_', ' ');
}

/** The metrics worth a chart, at most two, best first. */
export function chartsOf(metrics: Metrics): readonly string[] {
  return chartable.filter((name) => name in metrics).slice(0, 2);
}

/** The `count` most interesting metrics, written for people: `loss 2.31`. */
export function keyFigures(metrics: Metrics, count: number): readonly string[] {
  return keyNames(metrics, count).map((name) => `${titleOf(name)} ${formatMetric(metrics[name]!)}`);
}

function keyNames(metrics: Metrics, count: number): readonly string[] {
  const known = interesting.filter(([name]) => name in metrics).map(([name]) => name);
  const others = Object.keys(metrics).filter((name) => !known.includes(name) && !bookkeeping.has(name));
  return [...known, ...others].slice(0, count);
}

/** What a stage ended with: held-out figures rather than those of its last batch, and where they came from. */
export function resultFigures(results: Metrics, count: number): readonly string[] {
  const better = Object.entries(results).filter(
    ([name]) =>
      !name.startsWith(initial) && !settings.has(name) && !(`eval_${name.replace(/^mean_/, '')}` in results),
  );
  const order = keyNames(Object.fromEntries(better), count);
  return order.map((name) => {
    const before = results[initial + name];
    const after = formatMetric(results[name]!);
    return `${titleOf(name)} ${before === undefined ? after : `${formatMetric(before)} → ${after}`}`;
  });
}

/** What the last step was taken with: no result. */
const settings = new Set(['learning_rate', 'lr', 'grad_norm']);

/** Prefix of what was measured before the first step. */
const initial = 'initial_';

/** `5,120 tokens/s`, where the stage counts tokens. */
export function tokenRate(metrics: Metrics): string | undefined {
  const rate = metrics.tokens_per_second;
  return rate === undefined || !Number.isFinite(rate) ? undefined : `${formatCount(rate)} tokens/s`;
}
