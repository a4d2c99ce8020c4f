/** The syntax tree as text: one canonical spelling, so that `parse(print(tree))` is the tree again. */
import { quote } from './strings.ts';
import type {
  Argument,
  Call,
  Chain,
  Item,
  Setting,
  Step,
  TextPart,
  Tree,
  Value,
  WrittenCondition,
} from './tree.ts';

export const printTree = ({ items }: Tree): string => items.map((item) => `${printItem(item)}\n`).join('');

function printItem(item: Item): string {
  switch (item.kind) {
    case 'use':
      return `use "${item.path}" as ${item.name.text}`;
    case 'let':
      return `let ${item.name.text} = ${printValue(item.value)}`;
    case 'param':
      return `param ${item.name.text}${item.type === undefined ? '' : `: ${item.type.text}`} = ${printValue(item.value)}`;
    case 'template':
      return `template ${item.name.text} = ${printValue(item.value)}`;
    case 'data':
      return `data ${item.name.text} = ${printChain(item.chain)}`;
    case 'model':
    case 'stage':
      return `${item.kind} ${item.name.text} = ${printCall(item.call)}`;
    case 'pipeline': {
      if (item.name === undefined) return printChain(item.chain);
      const parameters = item.parameters
        .map(({ name, value }) => `${name.text}=${printValue(value)}`)
        .join(' ');
      return `pipeline ${item.name.text}${parameters === '' ? '' : `(${parameters})`} = ${printChain(item.chain)}`;
    }
    case 'profile':
      return `profile ${item.name.text} {${item.settings.map((setting) => ` ${printSetting(setting)}`).join('')} }`;
  }
}

const printSetting = ({ path, value }: Setting): string =>
  `${path.map(({ text }) => text).join('.')} = ${printValue(value)}`;

const printChain = ({ steps }: Chain): string => steps.map(printStep).join(' → ');

const printStep = ({ label, call }: Step): string =>
  `${label === undefined ? '' : `${label.text}: `}${printCall(call)}`;

function printCall({ path, parens, args }: Call): string {
  if (!parens) return path.text;
  const parts = args.map(
    (arg, index) => `${index === 0 ? '' : arg.closes ? '; ' : ' '}${printArgument(arg)}`,
  );
  return `${path.text}(${parts.join('')})`;
}

function printArgument(arg: Argument): string {
  if (arg.kind === 'keyed') return `${arg.key.text}=${printValue(arg.value)}`;
  return arg.kind === 'condition' ? printCondition(arg.condition) : printValue(arg.value);
}

/** `quick.perplexity <= 40` */
export const printCondition = ({ path, comparison, value }: WrittenCondition): string =>
  `${path.text} ${comparison} ${printValue(value)}`;

function printValue(value: Value): string {
  switch (value.kind) {
    case 'quantity':
      return value.text;
    case 'text':
      return `"${value.parts.map(printPart).join('')}"`;
    case 'raw':
      return `'${value.text}'`;
    case 'block':
      return value.text.includes('\n') || value.text.endsWith('"')
        ? `"""\n${value.text}\n"""`
        : `"""${value.text}"""`;
    case 'variable':
      return `$${value.name.text}`;
    case 'list': {
      const items = value.items.map(printValue);
      return value.bracketed ? `[${items.join(', ')}]` : items.join(',');
    }
    case 'call':
      return printCall(value.call);
    case 'rows':
      return value.calls.map(printCall).join(' → ');
  }
}

const printPart = (part: TextPart): string =>
  typeof part === 'string' ? quote(part).slice(1, -1) : `\${${part.reference.text}}`;
