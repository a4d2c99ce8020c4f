/** The concrete tree of the grammar → the syntax tree. Items and steps that could not be read are left out. */
import type { CstNode } from 'chevrotain';
import {
  buildCall,
  buildName,
  buildValue,
  inOrder,
  nodeOf,
  nodeRange,
  nodesOf,
  type Report,
  tokenOf,
  tokenRange,
} from './build-values.ts';
import type { Chain, Item, Name, Parameter, Setting, Step, Tree } from './tree.ts';

export function buildTree(file: CstNode, report: Report): Tree {
  const items: Item[] = [];
  for (const node of nodesOf(file, 'item')) {
    const chain = nodeOf(node, 'chain');
    const written = Object.values(nodeOf(node, 'keywordItem')?.children ?? {})[0]?.[0];
    const item =
      chain === undefined
        ? buildKeywordItem(written as CstNode | undefined, report)
        : anonymous(chain, report);
    if (item !== undefined) items.push(item);
  }
  return { items };
}

function anonymous(node: CstNode, report: Report): Item | undefined {
  const chain = buildChain(node, report);
  return chain && { kind: 'pipeline', parameters: [], chain, range: chain.range };
}

function buildKeywordItem(node: CstNode | undefined, report: Report): Item | undefined {
  if (node === undefined) return undefined;
  const name = buildName(tokenOf(node, 'Identifier'));
  if (name === undefined) return undefined;
  const range = nodeRange(node);
  const value = buildValue(nodeOf(node, 'value'), report);
  const call = buildCall(nodeOf(node, 'call'), report);
  switch (node.name) {
    case 'useItem':
      return buildUse(node, name);
    case 'letItem':
      return value && { kind: 'let', name, value, range };
    case 'paramItem': {
      const type = buildName(tokenOf(node, 'type'));
      return value && { kind: 'param', name, ...(type === undefined ? {} : { type }), value, range };
    }
    case 'dataItem': {
      const chain = nodeOf(node, 'chain');
      return chain && { kind: 'data', name, chain: buildChain(chain, report) ?? brokenChain(node), range };
    }
    case 'modelItem':
      return call && { kind: 'model', name, call, range };
    case 'templateItem':
      return value && { kind: 'template', name, value, range };
    case 'stageItem':
      return call && { kind: 'stage', name, call, range };
    case 'pipelineItem': {
      const chain = nodeOf(node, 'chain');
      const parameters = buildParameters(nodeOf(node, 'parameters'), report);
      const steps = (chain && buildChain(chain, report)) ?? brokenChain(node);
      return { kind: 'pipeline', name, parameters, chain: steps, range };
    }
    case 'profileItem': {
      const settings = nodesOf(node, 'setting').map((setting) => buildSetting(setting, report));
      return { kind: 'profile', name, settings: settings.filter((setting) => setting !== undefined), range };
    }
    default:
      return undefined;
  }
}

function buildUse(node: CstNode, name: Name): Item | undefined {
  const token = tokenOf(node, 'Text') ?? tokenOf(node, 'RawText');
  if (token === undefined) return undefined;
  const path = token.image.slice(1, -1);
  return { kind: 'use', path, pathRange: tokenRange(token), name, range: nodeRange(node) };
}

function buildParameters(node: CstNode | undefined, report: Report): Parameter[] {
  const made: Parameter[] = [];
  for (const parameter of node === undefined ? [] : nodesOf(node, 'parameter')) {
    const name = buildName(tokenOf(parameter, 'Identifier'));
    const value = buildValue(nodeOf(parameter, 'value'), report);
    if (name !== undefined && value !== undefined) made.push({ name, value });
  }
  return made;
}

export function buildSetting(node: CstNode, report: Report): Setting | undefined {
  const path: Name[] = [];
  for (const [, child] of inOrder(node, ['Star', 'Identifier'])) {
    if (!('image' in child) || child.isInsertedInRecovery) return undefined;
    path.push(buildName(child)!);
  }
  const value = buildValue(nodeOf(node, 'value'), report);
  return value && path.length > 0 ? { path, value, range: nodeRange(node) } : undefined;
}

const brokenChain = (node: CstNode): Chain => ({ steps: [], broken: true, range: nodeRange(node) });

function buildChain(node: CstNode, report: Report): Chain | undefined {
  const written = nodesOf(node, 'step');
  const steps: Step[] = [];
  for (const step of written) {
    const call = buildCall(nodeOf(step, 'call'), report);
    if (call === undefined) continue;
    const label = buildName(tokenOf(step, 'label'));
    steps.push({ ...(label === undefined ? {} : { label }), call, range: nodeRange(step) });
  }
  if (steps.length === 0) return undefined;
  const arrows = node.children.Arrow?.length ?? 0;
  return { steps, broken: steps.length <= arrows || node.recoveredNode === true, range: nodeRange(node) };
}
