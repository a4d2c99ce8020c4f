/** The grammar as a page to read: its rules in EBNF, made from the parser's own, and the words they are made of. */
import type { ISerializedGast } from 'chevrotain';
import { PipelineParser } from './parser.ts';

/** A production as the parser library serializes it. */
interface Node extends ISerializedGast {
  readonly name?: string;
  readonly pattern?: string;
  readonly definition?: Node[];
}

/** Words that are no fixed spelling. */
const words: { readonly [name: string]: { readonly means: string; readonly examples: readonly string[] } } = {
  Identifier: {
    means:
      'a letter of any script or `_`, then letters, digits, marks, and `-` before one of those; keywords are names too',
    examples: ['clinic', '问诊', 'max_steps'],
  },
  Quantity: {
    means: 'a number or a range, with a unit or without',
    examples: ['2e-4', '5%', '200M', '3 epochs', '1..5'],
  },
  Text: {
    means: 'text of one line with escapes and references',
    examples: ['"notes/*.txt"', `"${'$'}{name}.jsonl"`],
  },
  RawText: { means: 'text of one line as it stands', examples: ["'C:\\data'"] },
  BlockString: { means: 'text of several lines, without their shared indentation', examples: ['"""…"""'] },
  Variable: { means: 'the value of a `let` or a `param`', examples: ['$seed'] },
  Comparison: { means: 'a comparison', examples: ['>=', '<=', '==', '!=', '>', '<'] },
};

/** Read as words so that one mistake stays one; no part of the language. */
const mistakes = new Set(['UnclosedText', 'UnclosedBlock']);

/** The ways to write a word of fixed spelling: `(` and its full-width twin. */
function spellings({ pattern }: Node): readonly string[] {
  const inClass = /^\[(.+)\]$/.exec(pattern!)?.[1];
  return inClass === undefined ? pattern!.split('|').map((one) => one.replace(/^\\/, '')) : [...inClass];
}

const isMistake = (node: Node): boolean =>
  node.type === 'Alternative' && node.definition!.every(({ name }) => mistakes.has(name ?? ''));

/** `inside`: where more than one thing needs brackets around it. */
function written(node: Node, inside = false): string {
  const parts = node.definition ?? [];
  const sequence = () => parts.map((part) => written(part, parts.length > 1)).join(' ');
  switch (node.type) {
    case 'Terminal':
      return node.name! in words ? node.name! : `"${spellings(node)[0]}"`;
    case 'NonTerminal':
      return node.name!;
    case 'Option':
      return `[ ${sequence()} ]`;
    case 'Repetition':
      return `{ ${sequence()} }`;
    case 'Alternation': {
      const choices = parts.filter((part) => !isMistake(part)).map((part) => written(part));
      return inside && choices.length > 1 ? `( ${choices.join(' | ')} )` : choices.join(' | ');
    }
    case 'Alternative':
    case 'Rule':
      return sequence();
    default:
      throw new Error(`a rule holds \`${node.type}\`, which this page cannot show`);
  }
}

function terminals(node: Node): readonly Node[] {
  return node.type === 'Terminal' ? [node] : (node.definition ?? []).flatMap(terminals);
}

export function grammarPage(): string {
  const rules = new PipelineParser().getSerializedGastProductions() as Node[];
  const width = Math.max(...rules.map(({ name }) => name!.length));
  const used = new Map(rules.flatMap(terminals).map((node) => [node.name!, node]));
  const twins = [...used.values()].filter(
    (node) => !(node.name! in words) && !mistakes.has(node.name!) && spellings(node).length > 1,
  );
  const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``;
  return `# The grammar of \`.ftp\`

Made from the rules in \`parser.ts\` and the words in \`tokens.ts\` by \`npm run grammar\`; do not edit. \`{ … }\` is any number of
times, \`[ … ]\` once or not at all.

\`\`\`ebnf
${rules.map((rule) => `${rule.name!.padEnd(width)} = ${written(rule)} ;`).join('\n')}
\`\`\`

What the rules alone leave open: an item begins on a new line; a comma continues a list unless a key, a condition or a
closing bracket follows it; an arrow behind a value continues it where it ends in a name or a call. White space and
comments (\`#\` to the end of the line) may stand between any two words. What names mean is the compiler's business.

| word | what it is | for example |
|---|---|---|
${Object.entries(words)
  .map(([name, { means, examples }]) => `| ${name} | ${means} | ${examples.map(code).join(' ')} |`)
  .join('\n')}

| written | or |
|---|---|
${twins
  .map((node) => spellings(node).map(code))
  .map(([first, ...others]) => `| ${first} | ${others.join(' ')} |`)
  .join('\n')}
`;
}
