/** The options of a training stage that its optimizers use: every optimizer's, in one list. */
import type { CallEntry, Json, OptionSchema, StageEntry } from '../../../compiler/catalog.ts';

type Entries = { readonly [name: string]: CallEntry };

/**
 * A training stage (one with an option `optimizer`) with the choice of optimizers and their options. Where an optimizer
 * leaves a default open, it is the stage's; beside an optimizer that does not use an option, the option has no value and
 * must not be written.
 */
export function withOptimizers(stage: StageEntry, optimizers: Entries): StageEntry {
  const { optimizer, ...own } = stage.options;
  if (optimizer === undefined) return stage;
  const usual = String(optimizer.default);
  const names = new Set(Object.values(optimizers).flatMap((entry) => Object.keys(entry.options)));
  const joined = [...names].map((name) => [name, join(name, own[name]?.default, usual, optimizers)] as const);
  const options = Object.entries(stage.options).flatMap(([name, schema]) => {
    if (name === 'optimizer')
      return [[name, { ...schema, enum: Object.keys(optimizers) }] as const, ...joined];
    return names.has(name) ? [] : [[name, schema] as const];
  });
  return { ...stage, options: Object.fromEntries(options) };
}

/** One option of several optimizers. */
function join(name: string, ofStage: Json | undefined, usual: string, optimizers: Entries): OptionSchema {
  const users = Object.values(optimizers).filter((entry) => entry.options[name] !== undefined);
  const schemaOf = (user: string) => optimizers[user]?.options[name];
  const defaultOf = (user: string) => schemaOf(user) && (schemaOf(user)!.default ?? ofStage);
  const { default: _, defaultNote: __, ...schema } = users[0]!.options[name]!;
  const same = users.every((user) => defaultOf(user.name) === ofStage);
  if (same && users.length === Object.keys(optimizers).length && ofStage !== undefined)
    return { ...schema, default: ofStage };
  const others = users.filter((user) => defaultOf(user.name) !== defaultOf(usual));
  const known = schemaOf(usual) !== undefined;
  const notes = others.map(({ name: user }) =>
    known ? `with ${user} ${defaultOf(user)}` : `${defaultOf(user)} with ${user}`,
  );
  return {
    ...schema,
    defaultNote: [...(known ? [`${defaultOf(usual)}`] : []), ...notes].join(', '),
    computedDefault: (options) => defaultOf(String(options.optimizer)),
    withoutEffect(options, method, value) {
      const chosen = String(options.optimizer);
      const used = schemaOf(chosen);
      if (used !== undefined) return used.withoutEffect?.(options, method, value);
      // A name that is no optimizer has been reported.
      if (!Object.hasOwn(optimizers, chosen)) return undefined;
      return {
        beside: `optimizer=${chosen}`,
        note: `${name} belongs to ${users.map((user) => user.name).join(', ')}`,
      };
    },
  };
}
