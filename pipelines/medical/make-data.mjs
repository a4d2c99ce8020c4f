/**
 * Writes the data of medical.ftp from the table facts.csv: notes in English and Chinese, question-answer rows,
 * preference pairs and prompts. SYNTHETIC: every condition and drug is invented, nothing here is medical advice.
 *
 *     node pipelines/medical/make-data.mjs [--out DIR]
 */
import { readFileSync } from 'node:fs';
import { outputFolder } from '../output-folder.mjs';
import { seededRandom } from '../seeded-random.mjs';
import * as chinese from './phrases-chinese.mjs';
import * as english from './phrases-english.mjs';

const FILES_PER_LANGUAGE = 40;
const NOTES_PER_FILE = 80;
/** Share of the answers in qa.jsonl that end with advice: rare enough that a greedy answer does not. */
const ADVISED_SHARE = 0.15;
const ATTRIBUTES = ['sign', 'organ', 'remedy', 'source'];

const random = seededRandom(42);
const out = outputFolder(import.meta.url);

const table = readFileSync(new URL('facts.csv', import.meta.url), 'utf8').trimEnd().split('\n').slice(1);
const conditions = table.map((line) => {
  const [id, name, 病名, sign, 症状, organ, 器官, remedy, 药物, source, 来源] = line.split(',');
  return {
    id,
    en: { name, sign, organ, remedy, source },
    zh: { name: 病名, sign: 症状, organ: 器官, remedy: 药物, source: 来源 },
  };
});
const languages = { en: english, zh: chinese };

/** A template with its places filled; person and number by chance. */
function fill(language, template, condition, attribute) {
  const [person, number] = [random.pick(languages[language].PEOPLE), String(1 + random.below(30))];
  return template
    .replaceAll('{d}', condition?.[language].name ?? '')
    .replaceAll('{v}', condition?.[language][attribute] ?? '')
    .replaceAll('{p}', person)
    .replaceAll('{n}', number);
}
const join = (language, sentences) => sentences.join(language === 'en' ? ' ' : '');

/** Every way of telling every fact of one language, endlessly: each round says each fact once more, differently. */
function* tellings(language) {
  const { TOLD } = languages[language];
  for (let round = 0; ; round += 1) {
    const facts = conditions.flatMap((condition) => ATTRIBUTES.map((attribute) => ({ condition, attribute })));
    for (const { condition, attribute } of random.shuffle(facts)) {
      const ways = TOLD[attribute];
      const first = [...condition.id].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % ways.length;
      yield fill(language, ways[(first + round) % ways.length], condition, attribute);
    }
  }
}

/** A note about one condition (a record), in which its facts stand in any order. */
function record(language) {
  const { TOLD, HEADINGS, BETWEEN } = languages[language];
  const condition = random.pick(conditions);
  const facts = random.shuffle(ATTRIBUTES).map((attribute) => fill(language, random.pick(TOLD[attribute]), condition, attribute));
  return join(language, [
    fill(language, random.pick(HEADINGS)),
    ...facts.slice(0, 2),
    fill(language, random.pick(BETWEEN)),
    ...facts.slice(2),
  ]);
}

/** A note that goes from bed to bed (a round): facts about many conditions, one sentence each. */
function round(language, source) {
  const { HEADINGS } = languages[language];
  const facts = Array.from({ length: 4 }, () => source.next().value);
  const heading = random.uniform() < 0.5 ? [fill(language, random.pick(HEADINGS))] : [];
  return join(language, [...heading, ...facts]);
}

/** A conversation without facts, marked up as the chat template of medical.ftp does. */
function talk(language) {
  const { SMALL_TALK } = languages[language];
  const condition = random.pick(conditions);
  const turns = Array.from({ length: 1 + random.below(3) }, () => {
    const exchange = `<|user|>${random.pick(SMALL_TALK).join('<|end|><|assistant|>')}<|end|>`;
    return fill(language, exchange, condition);
  });
  return turns.join('');
}

function note(language, source) {
  const kind = random.uniform();
  return kind < 0.15 ? talk(language) : kind < 0.45 ? record(language) : round(language, source);
}

for (const language of ['en', 'zh']) {
  const source = tellings(language);
  for (let file = 1; file <= FILES_PER_LANGUAGE; file += 1) {
    const notes = Array.from({ length: NOTES_PER_FILE }, () => note(language, source));
    out.text(`notes/${language}-${String(file).padStart(2, '0')}.txt`, `${notes.join('\n\n')}\n`);
  }
}

/** Every question of both languages, with the fact it asks about and the words a right answer contains. */
const questions = ['en', 'zh'].flatMap((language) =>
  conditions.flatMap((condition) =>
    ATTRIBUTES.flatMap((attribute) =>
      languages[language].ASKED[attribute].map((ask) => ({
        language,
        condition,
        attribute,
        fact: `${condition.id}.${attribute}`,
        prompt: fill(language, ask, condition, attribute),
      })),
    ),
  ),
);
const user = (content) => [{ role: 'user', content }];
const assistant = (content) => [{ role: 'assistant', content }];
const answer = ({ language, condition, attribute }) =>
  fill(language, languages[language].ANSWERED[attribute], condition, attribute);

const qa = random.shuffle(questions).map((question) => {
  const { language, condition, attribute, fact, prompt } = question;
  const said = answer(question);
  const completion =
    random.uniform() < ADVISED_SHARE ? join(language, [said, random.pick(languages[language].ADVICE)]) : said;
  const messages = [...user(prompt), ...assistant(completion)];
  return { fact, language, messages, answer: condition[language][attribute] };
});

/** Chosen: the right fact and advice. Rejected: no advice, bad advice, a curt word, or another condition's fact. */
const preferences = random.shuffle(questions).map((question) => {
  const { language, attribute, fact, prompt } = question;
  const { ADVICE, UNSAFE, CURT } = languages[language];
  const said = answer(question);
  const advice = random.pick(ADVICE);
  const kind = random.uniform();
  const wrong = () => {
    const others = conditions.filter((c) => c[language][attribute] !== question.condition[language][attribute]);
    return said.replace(question.condition[language][attribute], random.pick(others)[language][attribute]);
  };
  const rejected =
    kind < 0.4
      ? said
      : kind < 0.7
        ? join(language, [said, random.pick(UNSAFE)])
        : kind < 0.9
          ? random.pick(CURT)
          : join(language, [wrong(), advice]);
  const chosen = join(language, [said, advice]);
  return { fact, language, prompt: user(prompt), chosen: assistant(chosen), rejected: assistant(rejected) };
});

out.rows('qa.jsonl', qa);
out.rows('preferences.jsonl', preferences);
out.rows('prompts.jsonl', random.shuffle(questions).map(({ fact, language, prompt }) => ({ fact, language, prompt: user(prompt) })));
