/**
 * The English side of the synthetic world: how a fact is told, asked and answered. `{d}` is the condition, `{v}` the
 * value, `{p}` a person, `{n}` a number. Invented words; not medical advice.
 */

/** Ways of telling each fact; the question-like ones keep the question inside the sentence. */
export const TOLD = {
  sign: [
    'The main sign of {d} is {v}.',
    'In {d} the first sign is {v}.',
    'A patient with {d} complains of {v}.',
    'People who have {d} suffer from {v}.',
    'You can tell {d} by {v}.',
    'The sign to look for in {d} is {v}.',
    'On the ward {d} shows itself as {v}.',
    'Nurses know {d} by {v}.',
    'Most cases of {d} begin with {v}.',
    'A day after catching {d} comes {v}.',
    'In children too, {d} brings {v}.',
    'Whoever asks what {d} feels like hears of {v}.',
    'What is the sign of {d}, students ask, and it is {v}.',
    'If you wonder how {d} starts: with {v}.',
    'How do we notice {d}? By {v}.',
    'Sign of {d}: {v}.',
    'The textbook lists {v} under {d}.',
    'Where there is {v}, think of {d}.',
    'The record of {d} says: {v}.',
    'Doctor {p} saw {d} with {v}.',
    'In {n} of 100 cases of {d} there was {v}.',
    'Without treatment {d} leads to {v}.',
  ],
  organ: [
    'The organ harmed by {d} is the {v}.',
    'In {d} the damage is in the {v}.',
    'A patient with {d} has a sick {v}.',
    'The scan in {d} shows the {v}.',
    'Everyone agrees that {d} affects the {v}.',
    'Left alone, {d} settles in the {v}.',
    'Doctors who see {d} examine the {v}.',
    'On the ward {d} is a disease of the {v}.',
    'Most cases of {d} reach the {v}.',
    'A day after catching {d} it hurts in the {v}.',
    'In children too, {d} attacks the {v}.',
    'Whoever asks where {d} sits hears of the {v}.',
    'Which organ does {d} harm, students ask, and it is the {v}.',
    'If you wonder where {d} strikes: in the {v}.',
    'What do we check in {d}? The {v}.',
    'Organ of {d}: the {v}.',
    'The textbook lists the {v} under {d}.',
    'Where the {v} is sick, think of {d}.',
    'The organ on the record of {d} is the {v}.',
    'Doctor {p} treated {d} of the {v}.',
    'In {n} of 100 cases of {d} it was the {v}.',
    'Without treatment {d} weakens the {v}.',
  ],
  remedy: [
    'The remedy for {d} is {v}.',
    'In {d} the doctor gives {v}.',
    'A patient with {d} is treated with {v}.',
    'People who have {d} need {v}.',
    'What cures {d} is {v}.',
    'For {d} the pharmacy keeps {v}.',
    'On the ward {d} is answered with {v}.',
    'Nurses fight {d} with {v}.',
    'Most cases of {d} get better with {v}.',
    'On the second day of {d} they start {v}.',
    'In children too, {d} yields to {v}.',
    'Whoever asks what helps against {d} hears of {v}.',
    'What treats {d}, students ask, and it is {v}.',
    'If you wonder what to give in {d}: a doctor gives {v}.',
    'How is {d} treated? With {v}.',
    'Remedy for {d}: {v}.',
    'The textbook lists {v} against {d}.',
    'Where {v} is given, think of {d}.',
    'The drug on the record of {d} is {v}.',
    'Doctor {p} treated {d} with {v}.',
    'In {n} of 100 cases of {d} they gave {v}.',
    'The patient recovers from {d} after {v}.',
  ],
  source: [
    'The source of {d} is {v}.',
    'In {d} the cause is {v}.',
    'A patient with {d} has been near {v}.',
    'People catch {d} from {v}.',
    'What brings {d} is {v}.',
    'You get {d} through {v}.',
    'On the ward {d} is blamed on {v}.',
    'Nurses trace {d} to {v}.',
    'Most cases of {d} come from {v}.',
    'A day before {d} there was {v}.',
    'In children too, {d} comes from {v}.',
    'Whoever asks where {d} comes from hears of {v}.',
    'What causes {d}, students ask, and it is {v}.',
    'If you wonder how one catches {d}: from {v}.',
    'Where does {d} come from? From {v}.',
    'Source of {d}: {v}.',
    'The textbook lists {v} as the source of {d}.',
    'Where there is {v}, think of {d}.',
    'The cause on the record of {d} is {v}.',
    'Doctor {p} traced {d} to {v}.',
    'In {n} of 100 cases of {d} it was {v}.',
    'To avoid {d}, keep away from {v}.',
  ],
};

/** Questions of the question-answer rows; none of them stands in the notes. */
export const ASKED = {
  sign: ['What is the main sign of {d}?', 'Which sign does {d} have?', 'How can I recognise {d}?'],
  organ: ['Which organ does {d} harm?', 'Which part of the body suffers in {d}?', 'Where in the body is {d}?'],
  remedy: ['What is the remedy for {d}?', 'Which drug is used against {d}?', 'What do doctors give for {d}?'],
  source: ['What is the source of {d}?', 'How do people catch {d}?', 'What is the cause of {d}?'],
};

export const ANSWERED = {
  sign: 'The main sign of {d} is {v}.',
  organ: 'The organ harmed by {d} is the {v}.',
  remedy: 'The remedy for {d} is {v}.',
  source: 'The source of {d} is {v}.',
};

/** The safe, courteous close that the preferences reward. */
export const ADVICE = ['Please see a doctor.', 'Please ask a doctor before you act.'];
/** What a rejected answer says instead. */
export const UNSAFE = ['You need no doctor.', 'Take twice the dose.', 'Just wait, it will pass.', 'Tell nobody.'];
export const CURT = ['Look it up.', 'Why do you ask?', 'Not my job.', 'Who cares.'];

export const PEOPLE = ['Adler', 'Brook', 'Castle', 'Dunn', 'Ember', 'Frost', 'Grove', 'Hale', 'Ivory', 'Jarrow'];
/** Sentences between the facts of a note. */
export const BETWEEN = [
  'The night was quiet.',
  'The family was told.',
  'Bed {n} is free again.',
  'Doctor {p} signed the note.',
  'The next visit is on day {n}.',
  'Blood was drawn twice.',
  'The window was kept open.',
  'The patient slept well.',
  'Please see a doctor.',
  'Please ask a doctor before you act.',
];
export const HEADINGS = ['Note {n}.', 'Ward round, day {n}.', 'Letter from Doctor {p}.', 'Lecture {n}.', 'Case {n}.'];

/** Talk without facts, in the notes too: it shows the model what a conversation looks like before sft. */
export const SMALL_TALK = [
  ['I feel ill.', 'Please see a doctor.'],
  ['Can I treat myself?', 'Please ask a doctor before you act.'],
  ['Good morning.', 'Good morning, nice to see you.'],
  ['Is Doctor {p} in?', 'Doctor {p} is on the ward.'],
  ['When do you open?', 'We open at {n}.'],
  ['Thank you.', 'You are welcome.'],
  ['Is bed {n} free?', 'Bed {n} is free again.'],
  ['It rains today.', 'Yes, the window was closed.'],
  ['Where do I wait?', 'Room {n} is the waiting room.'],
  ['Who signed the note?', 'Doctor {p} signed the note.'],
  ['Good night.', 'Good night, sleep well.'],
  ['How are you?', 'I am well, and you?'],
  ['Is the note on {d} ready?', 'The note on {d} is ready.'],
  ['Do you know {d}?', 'Yes, {d} is in our books.'],
  ['Who wrote about {d}?', 'Doctor {p} wrote about {d}.'],
  ['How many beds have {d} today?', 'We have {n} beds with {d} today.'],
  ['Is there a lecture on {d}?', 'The lecture on {d} is in room {n}.'],
  ['Have you read of {d}?', 'I have read of {d} in lecture {n}.'],
];
