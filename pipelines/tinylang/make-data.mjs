/**
 * Writes the data of tinylang.ftp: sentences of a language so small that all of them can be listed, so that what
 * every stage of training should reach is known exactly.
 *
 *     node pipelines/tinylang/make-data.mjs [--out DIR] [--scale N]
 *
 * A prompt is `the NOUN was`; a response is `[ADVERB] ADJECTIVE (and|but ADJECTIVE){0,2}` and the end. An adverb comes
 * with probability 0.3; after each of the first two adjectives the response goes on with probability 0.5. The first
 * adjective is positive with probability 0.8 for the first two nouns and 0.2 for the others (0.9 for all in the dialect
 * that sft learns); each further one keeps the polarity of the last with probability 0.9. Words within a class are
 * equally likely. Preferences follow the number of positive minus the number of negative adjectives.
 *
 * Rows carry an `id` to split by: short sentences come again and again, and a split by the row itself would put all
 * copies of one on one side. `--scale 4` writes four times as many rows, for measuring to the second decimal.
 */
import { outputFolder } from '../output-folder.mjs';
import { seededRandom } from '../seeded-random.mjs';

const SENTENCES = 15_000;
const RESPONSES = 5_000;
const DIALECT_ROWS = 10_000;
const PAIRS = 4_000;
const PROMPTS = 800;

const NOUNS = ['cat', 'dog', 'hen', 'pig'];
const ADVERBS = ['so', 'too', 'very', 'quite'];
const POSITIVE = ['good', 'kind', 'calm', 'warm', 'neat', 'wise'];
const NEGATIVE = ['bad', 'mean', 'wild', 'cold', 'rude', 'dull'];

const scaleFlag = process.argv.indexOf('--scale');
const scale = scaleFlag > 0 ? Number(process.argv[scaleFlag + 1]) : 1;
if (!(scale > 0)) throw new Error('--scale needs a number above 0');
const random = seededRandom(2024);
const out = outputFolder(import.meta.url);

const chance = (probability) => random.uniform() < probability;
const prompt = (noun) => `the ${NOUNS[noun]} was`;

/**
 * @param {number} positive probability that the first adjective is positive
 * @returns {{ text: string, reward: number }}
 */
function response(positive) {
  const words = chance(0.3) ? [random.pick(ADVERBS)] : [];
  let polarity = chance(positive) ? 1 : -1;
  let reward = 0;
  for (let adjective = 0; adjective < 3; adjective += 1) {
    if (adjective > 0) {
      if (!chance(0.5)) break;
      words.push(chance(0.5) ? 'and' : 'but');
      if (!chance(0.9)) polarity = -polarity;
    }
    words.push(random.pick(polarity > 0 ? POSITIVE : NEGATIVE));
    reward += polarity;
  }
  return { text: words.join(' '), reward };
}

/** @param {number} count @param {() => object} make */
const rows = (count, make) => Array.from({ length: Math.round(count * scale) }, (_, id) => ({ id, ...make() }));

function sentence() {
  const noun = random.below(NOUNS.length);
  return { text: `${prompt(noun)} ${response(noun < 2 ? 0.8 : 0.2).text}` };
}

/** A sentence as prompt and completion, to measure the loss of responses alone. */
function measured() {
  const noun = random.below(NOUNS.length);
  return { prompt: prompt(noun), completion: ` ${response(noun < 2 ? 0.8 : 0.2).text}` };
}

const dialect = () => ({ prompt: prompt(random.below(NOUNS.length)), completion: ` ${response(0.9).text}` });

/** Two responses to one prompt, of unequal reward; the better one is chosen. */
function pair() {
  const noun = random.below(NOUNS.length);
  for (;;) {
    const [a, b] = [response(0.5), response(0.5)];
    if (a.reward === b.reward) continue;
    const [chosen, rejected] = a.reward > b.reward ? [a, b] : [b, a];
    return { prompt: prompt(noun), chosen: ` ${chosen.text}`, rejected: ` ${rejected.text}` };
  }
}

out.rows('sentences.jsonl', rows(SENTENCES, sentence));
out.rows('responses.jsonl', rows(RESPONSES, measured));
out.rows('dialect.jsonl', rows(DIALECT_ROWS, dialect));
out.rows('pairs.jsonl', rows(PAIRS, pair));
out.rows('prompts.jsonl', rows(PROMPTS, () => ({ prompt: prompt(random.below(NOUNS.length)) })));
