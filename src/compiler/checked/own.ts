/** The entry of a table; names that every object inherits (`constructor`) are not entries. */
export const own = <T>(table: { readonly [name: string]: T }, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;
