/**
 * Writes the data of quickstart.ftp: a small world of animals, told in stories (pretrain), asked about (sft),
 * answered politely or curtly (rm) and asked about again (ppo). All of it is made up here.
 *
 *     node pipelines/data/make-data.mjs [--out DIR]
 */
import { outputFolder } from '../output-folder.mjs';
import { seededRandom } from '../seeded-random.mjs';

const random = seededRandom(7);
const out = outputFolder(import.meta.url);

const ANIMALS = 'fox owl bear hare frog crow duck goat lamb mole swan toad'.split(' ');
const COLOURS = 'red brown grey white black green yellow blue'.split(' ');
const HOMES = ['the forest', 'the barn', 'the pond', 'the valley', 'the meadow', 'the cave', 'the garden', 'the mill'];
const FOODS = 'berries nuts grass fish seeds apples corn honey'.split(' ');

/** Each animal's colour, home, food and friend; every value is used equally often. */
const animals = (() => {
  const deal = (values) => random.shuffle(ANIMALS.map((_, i) => values[i % values.length]));
  const [colours, homes, foods] = [deal(COLOURS), deal(HOMES), deal(FOODS)];
  return ANIMALS.map((name, i) => ({
    name,
    colour: colours[i],
    home: homes[i],
    food: foods[i],
    friend: ANIMALS[(i + 5) % ANIMALS.length],
  }));
})();

const OPENINGS = [
  (a) => `One morning the ${a.name} woke up in ${a.home}.`,
  (a) => `The ${a.name} lives in ${a.home}.`,
  (a) => `There was once a ${a.colour} ${a.name} who lived in ${a.home}.`,
  (a) => `Far away, in ${a.home}, there lives a ${a.colour} ${a.name}.`,
  (a) => `In ${a.home} you can find the ${a.name}.`,
  (a) => `The home of the ${a.name} is ${a.home}.`,
];
const MIDDLES = {
  colour: [
    (a) => `The ${a.name} is ${a.colour}.`,
    (a) => `The colour of the ${a.name} is ${a.colour}.`,
    (a) => `Everyone knows that the ${a.name} is ${a.colour}.`,
    (a) => `The ${a.name} has a ${a.colour} coat and is proud of it.`,
    (a) => `It is a ${a.colour} ${a.name}.`,
  ],
  food: [
    (a) => `The ${a.name} eats ${a.food}.`,
    (a) => `The ${a.name} was hungry and looked for ${a.food}.`,
    (a) => `The ${a.name} likes to eat ${a.food}.`,
    (a) => `For dinner the ${a.name} eats ${a.food}.`,
    (a) => `The food of the ${a.name} is ${a.food}.`,
  ],
  friend: [
    (a) => `The friend of the ${a.name} is the ${a.friend}.`,
    (a) => `The ${a.name} likes the ${a.friend}.`,
    (a) => `On the way the ${a.name} met its friend, the ${a.friend}.`,
    (a) => `The ${a.name} and the ${a.friend} are friends.`,
    (a) => `The best friend of the ${a.name} is the ${a.friend}.`,
  ],
  home: [
    (a) => `The ${a.name} lives in ${a.home}.`,
    (a) => `At night the ${a.name} sleeps in ${a.home}.`,
    (a) => `The ${a.name} went back to ${a.home}.`,
    (a) => `You will find the ${a.name} in ${a.home}.`,
  ],
};
const ENDINGS = [
  'They played until the sun went down.',
  'It was a good day.',
  'Then the moon came up and all was quiet.',
  'And that is the end of the story.',
  'It rained a little, but nobody minded.',
  'The wind sang in the trees.',
  'Tomorrow they will meet again.',
];

/**
 * A conversation in the markers of the built-in chat template, so that sft does not meet them for the first time: small
 * talk, or one to three facts about an animal, the one that was asked for first.
 */
function talk(animal) {
  if (random.uniform() < 0.15) return chat(...random.pick(SMALL_TALK));
  const topics = random.shuffle(Object.keys(ANSWERS)).slice(0, 1 + random.below(3));
  const asked = random.pick(random.uniform() < 0.3 ? INVITATIONS : QUESTIONS[topics[0]])(animal);
  const closing = random.uniform() < 0.1 ? [random.pick(CLOSINGS)] : [];
  return chat(asked, [...topics.map((topic) => ANSWERS[topic](animal)), ...closing].join(' '));
}
const chat = (asked, answered) => `<|user|>${asked}<|end|><|assistant|>${answered}<|end|>`;

function story() {
  const animal = random.pick(animals);
  if (random.uniform() < 0.5) return talk(animal);
  const topics = random.shuffle(Object.keys(MIDDLES)).slice(0, 2 + random.below(3));
  const middle = topics.map((topic) => random.pick(MIDDLES[topic])(animal));
  return [random.pick(OPENINGS)(animal), ...middle, random.pick(ENDINGS)].join(' ');
}

const INVITATIONS = [
  (a) => `Tell me about the ${a.name}.`,
  (a) => `What do you know about the ${a.name}?`,
  (a) => `Do you know the ${a.name}?`,
];
const QUESTIONS = {
  colour: [
    (a) => `What colour is the ${a.name}?`,
    (a) => `Which colour does the ${a.name} have?`,
    (a) => `Tell me the colour of the ${a.name}.`,
    (a) => `Is the ${a.name} red or grey or some other colour?`,
  ],
  food: [
    (a) => `What does the ${a.name} eat?`,
    (a) => `What is the food of the ${a.name}?`,
    (a) => `What does the ${a.name} like to eat?`,
    (a) => `Tell me the food of the ${a.name}.`,
  ],
  friend: [
    (a) => `Who is the friend of the ${a.name}?`,
    (a) => `Whom does the ${a.name} like best?`,
    (a) => `Tell me the best friend of the ${a.name}.`,
    (a) => `What is the name of the friend of the ${a.name}?`,
  ],
  home: [
    (a) => `Where does the ${a.name} live?`,
    (a) => `Where is the home of the ${a.name}?`,
    (a) => `Where can I find the ${a.name}?`,
    (a) => `Tell me the home of the ${a.name}.`,
  ],
};
const ANSWERS = {
  colour: (a) => `The ${a.name} is ${a.colour}.`,
  food: (a) => `The ${a.name} eats ${a.food}.`,
  friend: (a) => `The friend of the ${a.name} is the ${a.friend}.`,
  home: (a) => `The ${a.name} lives in ${a.home}.`,
};
const CLOSINGS = ['I hope that helps!', 'Ask me more any time!'];
const SMALL_TALK = ['Thank you!', 'Good morning!'].flatMap((said) => CLOSINGS.map((close) => [said, close]));
const SHORT = { colour: (a) => a.colour, food: (a) => a.food, friend: (a) => a.friend, home: (a) => a.home };
const RUDE = ['Go away.', 'I will not tell you.', 'Why do you ask?'];

const questions = animals.flatMap((animal) =>
  Object.keys(QUESTIONS).flatMap((topic) =>
    QUESTIONS[topic].map((ask) => ({ animal, topic, prompt: ask(animal) })),
  ),
);

const user = (content) => [{ role: 'user', content }];
const assistant = (content) => [{ role: 'assistant', content }];

/** Answers for sft: always the fact, and one in four ends politely, so that ppo has something to find. */
const sft = random.shuffle([...questions, ...questions, ...questions]).map(({ animal, topic, prompt }) => {
  const fact = ANSWERS[topic](animal);
  const answer = random.uniform() < 0.25 ? `${fact} ${random.pick(CLOSINGS)}` : fact;
  return { messages: [...user(prompt), ...assistant(answer)] };
});

/** Pairs for rm: the fact with a polite closing is better than the fact alone, one bare word, or rudeness. */
const rm = random.shuffle([...questions, ...questions, ...questions]).map(({ animal, topic, prompt }) => {
  const fact = ANSWERS[topic](animal);
  const kind = random.uniform();
  const rejected = kind < 0.6 ? fact : kind < 0.8 ? `${SHORT[topic](animal)}.` : random.pick(RUDE);
  const chosen = `${fact} ${random.pick(CLOSINGS)}`;
  return { prompt: user(prompt), chosen: assistant(chosen), rejected: assistant(rejected) };
});

out.text('pretrain.txt', `${Array.from({ length: 2600 }, story).join('\n\n')}\n`);
out.rows('sft.jsonl', sft);
out.rows('rm.jsonl', rm);
out.rows('ppo.jsonl', random.shuffle(questions).map(({ prompt }) => ({ prompt: user(prompt) })));
