/** Values of the concrete tree → values of the syntax tree. A part that recovery left out comes back as `undefined`. */
import type { CstElement, CstNode, IToken } from 'chevrotain';
import { sameName } from '../source/names.ts';
import type { Range } from '../source/span.ts';
import { dedent, readText, type StringProblem } from './strings.ts';
import type { Argument, Call, Name, Path, Value, WrittenCondition } from './tree.ts';

/** Where problems inside of strings go. */
export type Report = (problem: StringProblem) => void;

/** A token that the parser read; one that recovery invented does not count. */
export function tokenOf(node: CstNode, name: string, at = 0): IToken | undefined {
  const token = node.children[name]?.[at];
  return token !== undefined && 'image' in token && !token.isInsertedInRecovery ? token : undefined;
}

export function nodeOf(node: CstNode, name: string): CstNode | undefined {
  const child = node.children[name]?.[0];
  return child !== undefined && 'children' in child ? child : undefined;
}

export function nodesOf(node: CstNode, name: string): CstNode[] {
  return (node.children[name] ?? []).filter((child): child is CstNode => 'children' in child);
}

const startOf = (child: CstElement): number =>
  ('children' in child ? child.location?.startOffset : child.startOffset) ?? 0;

/** Children of several kinds in the order of the text. */
export function inOrder(node: CstNode, names: readonly string[]): [string, CstElement][] {
  const all: [string, CstElement][] = [];
  for (const name of names) for (const child of node.children[name] ?? []) all.push([name, child]);
  return all.sort((a, b) => startOf(a[1]) - startOf(b[1]));
}

export const tokenRange = ({ startOffset, image }: IToken): Range => ({
  start: startOffset,
  end: startOffset + image.length,
});

export function nodeRange(node: CstNode): Range {
  const start = node.location?.startOffset;
  const end = node.location?.endOffset;
  const from = start === undefined || Number.isNaN(start) ? 0 : start;
  return { start: from, end: end === undefined || Number.isNaN(end) ? from : end + 1 };
}

export function buildName(token: IToken | undefined): Name | undefined {
  return token && { text: sameName(token.image), range: tokenRange(token) };
}

function buildPath(node: CstNode | undefined): Path | undefined {
  if (node === undefined) return undefined;
  const names: Name[] = [];
  let text = '';
  for (const [, child] of inOrder(node, ['Identifier', 'Dot', 'Slash'])) {
    if (!('image' in child) || child.isInsertedInRecovery) return undefined;
    text += child.image;
    if (child.tokenType.name !== 'Dot' && child.tokenType.name !== 'Slash') names.push(buildName(child)!);
  }
  return names.length === 0 ? undefined : { text: sameName(text), names, range: nodeRange(node) };
}

export function buildCall(node: CstNode | undefined, report: Report): Call | undefined {
  const path = node && buildPath(nodeOf(node, 'path'));
  if (node === undefined || path === undefined) return undefined;
  const written = nodeOf(node, 'callArguments');
  const args: Argument[] = [];
  let broken = written?.recoveredNode === true || node.recoveredNode === true;
  let closes = false;
  for (const [kind, child] of inOrder(written ?? { name: '', children: {} }, [
    'Semicolon',
    'keyed',
    'condition',
    'single',
  ])) {
    if (!('children' in child)) {
      closes = args.length > 0;
      continue;
    }
    const made = buildArgument(kind, child, closes, report);
    if (made === undefined) broken = true;
    else args.push(made);
    closes = false;
  }
  return { path, parens: written !== undefined, args, broken, range: nodeRange(node) };
}

function buildArgument(kind: string, node: CstNode, closes: boolean, report: Report): Argument | undefined {
  const range = nodeRange(node);
  if (kind === 'keyed') {
    const key = buildName(tokenOf(node, 'Identifier'));
    const value = buildValue(nodeOf(node, 'value'), report);
    return key && value && { kind: 'keyed', key, value, closes, range };
  }
  if (kind === 'condition') {
    const condition = buildCondition(node, report);
    return condition && { kind: 'condition', condition, closes, range };
  }
  const value = buildSingle(node, report);
  return value && { kind: 'positional', value, closes, range };
}

function buildCondition(node: CstNode, report: Report): WrittenCondition | undefined {
  const path = buildPath(nodeOf(node, 'path'));
  const comparison = tokenOf(node, 'Comparison')?.image as WrittenCondition['comparison'] | undefined;
  const value = buildSingle(nodeOf(node, 'single'), report);
  return path && comparison && value && { path, comparison, value, range: nodeRange(node) };
}

export function buildValue(node: CstNode | undefined, report: Report): Value | undefined {
  if (node === undefined) return undefined;
  const singles = nodesOf(node, 'single').map((single) => buildSingle(single, report));
  const [first] = singles;
  if (first === undefined) return undefined;
  const range = nodeRange(node);
  const later = nodesOf(node, 'call').map((call) => buildCall(call, report));
  if (later.length > 0) {
    const calls = [first.kind === 'call' ? first.call : undefined, ...later];
    return calls.every((call) => call !== undefined) ? { kind: 'rows', calls, range } : undefined;
  }
  if (singles.length === 1) return first;
  return { kind: 'list', items: singles.filter((single) => single !== undefined), bracketed: false, range };
}

function buildSingle(node: CstNode | undefined, report: Report): Value | undefined {
  if (node === undefined) return undefined;
  const range = nodeRange(node);
  const call = buildCall(nodeOf(node, 'call'), report);
  if (call !== undefined) return { kind: 'call', call, range };
  const list = nodeOf(node, 'list');
  if (list !== undefined) {
    const items = nodesOf(list, 'single').map((item) => buildSingle(item, report));
    return { kind: 'list', items: items.filter((item) => item !== undefined), bracketed: true, range };
  }
  const token = Object.values(node.children)[0]?.[0];
  return token !== undefined && 'image' in token && !token.isInsertedInRecovery
    ? buildToken(token, report)
    : undefined;
}

function buildToken(token: IToken, report: Report): Value | undefined {
  const { image } = token;
  const range = tokenRange(token);
  switch (token.tokenType.name) {
    case 'Quantity':
      return { kind: 'quantity', text: image.replace(/[ \t]+/, ' ').replace('％', '%'), range };
    case 'Text': {
      const { parts, problems } = readText(image.slice(1, -1), range.start + 1);
      problems.forEach(report);
      return { kind: 'text', parts, range };
    }
    case 'RawText':
      return { kind: 'raw', text: image.slice(1, -1), range };
    case 'BlockString':
      return { kind: 'block', text: dedent(image.slice(3, -3)), range };
    case 'Variable': {
      const name = { text: sameName(image.slice(1)), range };
      return { kind: 'variable', name, range };
    }
    default:
      return undefined;
  }
}
