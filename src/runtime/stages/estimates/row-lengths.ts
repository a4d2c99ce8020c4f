import type { RowKind } from '../../data/shapes.ts';
import { Numbers } from '../parts/numbers.ts';

/** How many tokens the rows of a side have: 8 bytes a row, whatever they hold. */
export class RowLengths {
  private readonly ofTokens = new Numbers(Int32Array);
  private readonly ofLearned = new Numbers(Int32Array);
  private first: RowKind | undefined;

  push(tokens: number, learned: number, kind: RowKind): void {
    this.first ??= kind;
    this.ofTokens.push(tokens);
    this.ofLearned.push(learned);
  }

  get count(): number {
    return this.ofTokens.length;
  }

  /** What the first row was read as. */
  get kind(): RowKind | undefined {
    return this.first;
  }

  /** Whole sequences, prompts included. */
  get tokens(): Int32Array {
    return this.ofTokens.all;
  }

  /** Those that carry loss. */
  get learned(): Int32Array {
    return this.ofLearned.all;
  }

  get totalTokens(): number {
    return this.tokens.reduce((sum, tokens) => sum + tokens, 0);
  }

  /** What a stage has to keep of them. */
  get kept(): { readonly tokens: number; readonly rows: number } {
    return { tokens: this.totalTokens, rows: this.count };
  }

  /** Tokens of the longest row; 0 where there is none. */
  get longest(): number {
    return this.tokens.reduce((most, tokens) => Math.max(most, tokens), 0);
  }

  /** The first so many of them, each as `change` has it. */
  map(
    change: (tokens: number, learned: number) => readonly [tokens: number, learned: number],
    most: number = this.count,
  ): RowLengths {
    const changed = new RowLengths();
    const { tokens, learned } = this;
    for (let i = 0; i < Math.min(most, this.count); i++)
      changed.push(...change(tokens[i]!, learned[i]!), this.first!);
    return changed;
  }
}
