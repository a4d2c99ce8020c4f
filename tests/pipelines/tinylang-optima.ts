/**
 * What every stage of pipelines/tinylang.ftp reaches at best, in nats for each response, computed by listing all
 * responses of the language that pipelines/tinylang/make-data.mjs describes.
 */

/** All responses with the same classes of words: their words are equally likely. */
export interface ResponseClass {
  readonly probability: number;
  readonly adverb: boolean;
  /** +1 or −1 for each adjective. */
  readonly polarities: readonly number[];
  readonly reward: number;
}

export const adverbs = ['so', 'too', 'very', 'quite'];
export const positive = ['good', 'kind', 'calm', 'warm', 'neat', 'wise'];
export const negative = ['bad', 'mean', 'wild', 'cold', 'rude', 'dull'];
/** Probability that the first adjective is positive, by noun. */
export const firstPositive: Readonly<Record<string, number>> = { cat: 0.8, dog: 0.8, hen: 0.2, pig: 0.2 };
/** The same in the dialect that sft learns, whatever the noun. */
export const dialectPositive = 0.9;

const ADVERB = 0.3;
const GO_ON = 0.5;
const KEEP = 0.9;

/** Every class of response, where the first adjective is positive with probability `first`. */
export function responseClasses(first: number): ResponseClass[] {
  const sequences = (length: number): number[][] =>
    length === 0
      ? [[]]
      : sequences(length - 1).flatMap((s) => [
          [...s, 1],
          [...s, -1],
        ]);
  return [false, true].flatMap((adverb) =>
    [1, 2, 3].flatMap((length) =>
      sequences(length).map((polarities) => {
        const turns = polarities.slice(1).map((p, i) => (p === polarities[i] ? KEEP : 1 - KEEP));
        const stop = length < 3 ? 1 - GO_ON : 1;
        const probability =
          (adverb ? ADVERB : 1 - ADVERB) *
          (polarities[0]! > 0 ? first : 1 - first) *
          turns.reduce((product, t) => product * t, GO_ON ** (length - 1) * stop);
        return { probability, adverb, polarities, reward: polarities.reduce((sum, p) => sum + p, 0) };
      }),
    ),
  );
}

/** ln of how many responses a class has: 4 adverbs, 6 words an adjective, 2 words between adjectives. */
const logSize = ({ adverb, polarities: { length } }: ResponseClass) =>
  (adverb ? Math.log(4) : 0) + length * Math.log(6) + (length - 1) * Math.log(2);

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
const expectation = (classes: readonly ResponseClass[], value: (c: ResponseClass) => number) =>
  classes.reduce((sum, c) => sum + c.probability * value(c), 0);

/** Entropy of a response, its end included. */
function responseEntropy(first: number): number {
  return expectation(responseClasses(first), (c) => logSize(c) - Math.log(c.probability));
}

/** Held-out loss of a response under a perfect pretrained model, and under a perfect model of the dialect. */
export const pretrainEntropy = (): number => mean(Object.values(firstPositive).map(responseEntropy));
export const dialectEntropy = (): number => responseEntropy(dialectPositive);

/** How far above `dialectEntropy` a perfect pretrained model starts: KL(dialect ‖ language). */
export function dialectGapBefore(): number {
  const q = dialectPositive;
  const gap = (p: number) => q * Math.log(q / p) + (1 - q) * Math.log((1 - q) / (1 - p));
  return mean(Object.values(firstPositive).map(gap));
}

/** ln probability of each response in the language (or the dialect); −Infinity where a text is no response. */
export function logProbabilities(responses: readonly string[], first: number): number[] {
  const key = (adverb: boolean, polarities: readonly number[]) => `${adverb} ${polarities.join()}`;
  const known = new Map(
    responseClasses(first).map((c) => [key(c.adverb, c.polarities), Math.log(c.probability) - logSize(c)]),
  );
  return responses.map((response) => {
    const shape = shapeOf(response);
    return shape === undefined ? Number.NEGATIVE_INFINITY : known.get(key(shape.adverb, shape.polarities))!;
  });
}

/** Adverb and polarities of a text, undefined where it is no response. */
function shapeOf(response: string): Pick<ResponseClass, 'adverb' | 'polarities'> | undefined {
  const words = response.split(' ');
  const adverb = adverbs.includes(words[0]!);
  const rest = adverb ? words.slice(1) : words;
  const adjectives = rest.filter((_, i) => i % 2 === 0);
  const between = rest.filter((_, i) => i % 2 === 1);
  const polarities = adjectives.map((w) => (positive.includes(w) ? 1 : negative.includes(w) ? -1 : 0));
  const wellFormed =
    rest.length % 2 === 1 &&
    adjectives.length <= 3 &&
    !polarities.includes(0) &&
    between.every((w) => w === 'and' || w === 'but');
  return wellFormed ? { adverb, polarities } : undefined;
}

export interface Optimum {
  /** E[reward] − beta · KL. */
  readonly objective: number;
  readonly reward: number;
  readonly kl: number;
}

/**
 * The optimum of E[r] − beta · KL(policy ‖ language): the policy language · exp(r / beta) / Z, whose objective is
 * beta · ln Z; averaged over the nouns. (Jaques and others 2017; Ziegler and others 2019, section 2.)
 */
export function alignmentOptimum(beta: number): Optimum {
  const optima = Object.values(firstPositive).map((first) => {
    const classes = responseClasses(first);
    const z = expectation(classes, (c) => Math.exp(c.reward / beta));
    const tilted = (value: (c: ResponseClass) => number) =>
      expectation(classes, (c) => (Math.exp(c.reward / beta) / z) * value(c));
    return {
      objective: beta * Math.log(z),
      reward: tilted((c) => c.reward),
      kl: tilted((c) => c.reward / beta - Math.log(z)),
    };
  });
  return {
    objective: mean(optima.map((o) => o.objective)),
    reward: mean(optima.map((o) => o.reward)),
    kl: mean(optima.map((o) => o.kl)),
  };
}

/**
 * beta · mean over prompts of ln E_reference[exp(r / beta)]: the optimum under a reference that was learned, from the
 * rewards of its own samples, a list for each prompt.
 */
export function estimatedObjective(rewardsByPrompt: readonly (readonly number[])[], beta: number): number {
  return (
    beta * mean(rewardsByPrompt.map((rewards) => Math.log(mean(rewards.map((r) => Math.exp(r / beta))))))
  );
}
