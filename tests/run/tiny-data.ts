/** Data for tiny pipelines: twelve animals, what they eat and where they live. */
const animals = 'hen fox bear wolf frog duck crow swan hare lamb goat mole'.split(' ');
const foods = 'corn grass fish berries apples worms'.split(' ');
const places = 'barn forest pond meadow'.split(' ');

export const facts = animals.flatMap((animal, i) => {
  const food = foods[i % foods.length]!;
  const place = places[i % places.length]!;
  return [
    { question: `What does the ${animal} eat?`, answer: `The ${animal} eats ${food}.` },
    { question: `Where is the ${animal}?`, answer: `In the ${place}.` },
  ];
});

export const lines = (rows: readonly object[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });

export const sftRows = facts.map(({ question, answer }) => ({
  messages: [user(question), assistant(answer)],
}));
export const preferenceRows = facts.map(({ question, answer }) => ({
  prompt: [user(question)],
  chosen: [assistant(answer)],
  rejected: [assistant('No.')],
}));
export const promptRows = facts.map(({ question }) => ({ prompt: [user(question)] }));

/** By convention: one file a stage. The text is one block, so none of it is held out; of the notes some are. */
export const tinyData = {
  'data/pretrain.txt': facts.map(({ question, answer }) => `${question} ${answer}\n\n`).join(''),
  'data/notes.jsonl': lines(facts.map(({ question, answer }) => ({ text: `${question} ${answer}` }))),
  'data/sft.jsonl': lines(sftRows),
  'data/rm.jsonl': lines(preferenceRows),
  'data/ppo.jsonl': lines(promptRows),
} as const;
