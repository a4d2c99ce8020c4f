/** Pages of the FTP2nnn that are about values and units. */
import { page } from './page.ts';

const ten = (name: string): string => `"${`\${${name}}`.repeat(10)}"`;

export const valuePages = {
  'wrong-type': page(
    `The option takes another kind of value. Numbers stand without quotes, truth is \`true\` or \`false\`, and a comma makes a
    list.`,
    'pretrain → sft(lora r="8")',
    'pretrain → sft(lora r=8)',
  ),
  'out-of-range': page(
    `The number is of the right kind, but too small or too large, or no power of two where it must be one; the message says
    what is wanted. \`ftc docs NAME\` has the bounds of every option.`,
    'pretrain → sft(lora r=0)',
    'pretrain → sft(lora r=8)',
  ),
  'not-a-choice': page(
    `The option takes one of a few words; the message lists them.`,
    'pretrain → sft(lora targets=q,z)',
    'pretrain → sft(lora targets=q,v)',
  ),
  'unknown-unit': page(
    `A number may have a unit right behind it: k, M, B are powers of ten (2M is two million); GB is 10⁹ bytes and GiB 2³⁰;
    ms, s, m, h, d are times, and a bare m is minutes; % is a hundredth; epochs, steps and tokens say what is counted.`,
    'pretrain(tokens=2Mio) → sft',
    'pretrain(tokens=2M) → sft',
  ),
  'wrong-unit': page(
    `The unit is known, but it measures something else: minutes do not count tokens. Mind that \`m\` is minutes and \`M\`
    a million.`,
    'pretrain(tokens=2m) → sft',
    'pretrain(tokens=2M) → sft',
  ),
  'without-effect': page(
    `Another option of the same call leaves this one nothing to do: \`beta2\` beside \`optimizer=sgd\`, which has no second
    moment. The note says what it goes with. Options are never ignored in silence, so that what is written is what happens.`,
    'pretrain → export(to="model" merge=false shard=1GB)',
    'pretrain → export(to="model" shard=1GB)',
  ),
  'model-without-weights': page(
    `\`llama(…)\` and its like describe a model by its sizes: its weights are made by \`pretrain\`. Every other stage starts from
    weights that are there: those that the arrow brings, or a model that \`local("directory")\` or \`hf("org/name")\` opens.`,
    'sft(model=llama(layers=2))',
    'sft(model=local("base"))',
  ),
  'too-large': page(
    `Definitions may use each other, but they must not grow beyond all bounds: a text made of ten copies of a text made of
    ten copies … A pipeline has at most 40,000 stages, and definitions may be 200 deep.`,
    {
      text: `let a = "0123456789"\nlet b = ${ten('a')}\nlet c = ${ten('b')}\nlet d = ${ten('c')}\nlet e = ${ten('d')}\nlet f = ${ten('e')}\nlet g = ${ten('f')}\npretrain → export(to=$g)`,
    },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the language's own spelling
    'let a = "0123456789"\nlet b = "${a}${a}"\npretrain → export(to=$b)',
  ),
};
