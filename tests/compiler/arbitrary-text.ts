/** Texts that are nearly pipelines: where parsers and checkers trip. */
import fc from 'fast-check';

const words = [
  'pretrain',
  'sft',
  'rm',
  'ppo',
  'eval',
  'gate',
  'export',
  'lora',
  'qlora',
  'full',
  'freeze',
  'data',
  'model',
  'let',
  'param',
  'use',
  'as',
  'stage',
  'pipeline',
  'profile',
  'template',
  'x',
  'y',
  'quick',
  '问诊',
  'r',
  'targets',
  'lr',
  'prompts',
  'max_steps',
  'constructor',
  '__proto__',
  'toString',
  'llama',
  'jsonl',
  'mix',
  'split',
  'columns',
  'sample',
  'true',
];
const values = [
  '8',
  '2e-4',
  '5%',
  '24GB',
  '24GBB',
  '200M',
  '30m',
  '3 epochs',
  '1..5',
  '-1',
  '1e999',
  '"text"',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the language's own spelling
  '"a ${x} \\n"',
  '"${',
  "'raw'",
  '"open',
  '"""block"""',
  '"""\n  {{ x }}\n"""',
  '$x',
  '$y',
  'q,v',
  '[a, b]',
  'nf4',
];
const signs = [
  '→',
  '->',
  '(',
  ')',
  '（',
  '）',
  '[',
  ']',
  '{',
  '}',
  ',',
  '，',
  ';',
  '；',
  ':',
  '：',
  '=',
  '＝',
  '.',
  '/',
  '*',
  '>=',
  '<',
  '==',
  '%',
  '$',
  '#c\n',
  '\n',
  '\n',
  ' ',
  '  ',
  '\t',
  '§',
  '“',
  '\u0000',
  '\uD800',
];

/** Words, values and signs in any order. */
export const soup: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...words) },
      { weight: 2, arbitrary: fc.constantFrom(...values) },
      { weight: 5, arbitrary: fc.constantFrom(...signs) },
    ),
    { maxLength: 60 },
  )
  .chain((parts) =>
    fc
      .array(fc.constantFrom('', ' ', ' ', '\n'), { minLength: parts.length, maxLength: parts.length })
      .map((gaps) => parts.map((part, index) => part + gaps[index]).join('')),
  );

const call: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(...words),
    fc.array(
      fc.oneof(
        fc
          .tuple(fc.constantFrom(...words), fc.constantFrom(...values, ...words))
          .map(([key, value]) => `${key}=${value}`),
        fc.constantFrom(...words, ...values),
        fc.constantFrom('quick.accuracy >= 0.5', 'loss < 2', 'x.y == 1'),
        fc.constantFrom(';', ','),
      ),
      { maxLength: 6 },
    ),
  )
  .map(([name, args]) => (args.length === 0 ? name : `${name}(${args.join(' ')})`));

const chain = fc.array(call, { minLength: 1, maxLength: 5 }).map((calls) => calls.join(' → '));

/** Files of items that mostly parse, with names and values that mostly do not fit. */
export const nearlyPipeline: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      chain,
      fc
        .tuple(
          fc.constantFrom('let', 'param', 'template'),
          fc.constantFrom(...words),
          fc.constantFrom(...values, ...words),
        )
        .map(([kind, name, value]) => `${kind} ${name} = ${value}`),
      fc
        .tuple(fc.constantFrom('data', 'pipeline'), fc.constantFrom(...words), chain)
        .map(([kind, name, steps]) => `${kind} ${name} = ${steps}`),
      fc
        .tuple(fc.constantFrom('model', 'stage'), fc.constantFrom(...words), call)
        .map(([kind, name, step]) => `${kind} ${name} = ${step}`),
      fc
        .tuple(fc.constantFrom(...words), fc.constantFrom(...words), fc.constantFrom(...values))
        .map(([stage, key, value]) => `profile p { ${stage}.${key} = ${value} *.${key} = ${value} }`),
    ),
    { maxLength: 6 },
  )
  .map((items) => items.join('\n'));
