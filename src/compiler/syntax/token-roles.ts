/** What commas and semicolons do at their place, as far as the layout of a file has to know. */
import type { CstNode, IToken } from 'chevrotain';
import { inOrder } from './build-values.ts';

export interface TokenRoles {
  /** Offsets of tokens that say nothing: commas between arguments, semicolons that close nothing. */
  readonly idle: ReadonlySet<number>;
  /** Offsets just behind the elements of a bracketed list that another one follows. */
  readonly listGaps: ReadonlySet<number>;
  /** Offsets of the first tokens of items. */
  readonly itemStarts: ReadonlySet<number>;
}

export function tokenRoles(file: CstNode): TokenRoles {
  const idle = new Set<number>();
  const listGaps = new Set<number>();
  const itemStarts = new Set<number>();
  const visit = (node: CstNode): void => {
    if (node.name === 'item') itemStarts.add(node.location!.startOffset);
    if (node.name === 'parameters' || node.name === 'profileItem')
      idleTokens(node, ['Comma', 'Semicolon'], idle);
    if (node.name === 'callArguments') argumentSeparators(node, idle);
    if (node.name === 'list') listSeparators(node, idle, listGaps);
    for (const children of Object.values(node.children)) {
      for (const child of children) if ('children' in child) visit(child);
    }
  };
  visit(file);
  return { idle, listGaps, itemStarts };
}

function idleTokens(node: CstNode, kinds: readonly string[], idle: Set<number>): void {
  for (const [, child] of inOrder(node, kinds)) idle.add((child as IToken).startOffset);
}

/** One `;` between two arguments stays; commas go. */
function argumentSeparators(node: CstNode, idle: Set<number>): void {
  idleTokens(node, ['Comma', 'Semicolon'], idle);
  let closing: IToken | undefined;
  let isFirst = true;
  for (const [, child] of inOrder(node, ['Semicolon', 'keyed', 'condition', 'single'])) {
    if ('image' in child) closing ??= child;
    else {
      if (closing !== undefined && !isFirst) idle.delete(closing.startOffset);
      closing = undefined;
      isFirst = false;
    }
  }
}

function listSeparators(node: CstNode, idle: Set<number>, gaps: Set<number>): void {
  idleTokens(node, ['Comma'], idle);
  const elements = inOrder(node, ['single']);
  for (const [, element] of elements.slice(0, -1)) gaps.add((element as CstNode).location!.endOffset! + 1);
}
