/** Post-processors of tokenizer.json: the special tokens around a text of its own. */
import { type Component, componentOf, partsIn, unknownKind, unusable } from './component.ts';

export interface Surroundings {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const nothing: Surroundings = { before: [], after: [] };

/**
 * What is put around a text that stands alone (`single`; pairs of texts are for other models).
 * @throws TokenizerError
 */
export function compilePostProcessor(value: unknown): Surroundings {
  return value === null || value === undefined ? nothing : compile(componentOf(value, 'post_processor'));
}

function compile(component: Component): Surroundings {
  switch (component.type) {
    case 'ByteLevel':
      return nothing;
    case 'Sequence':
      return partsIn(component, 'processors').reduce((inner, part) => around(inner, compile(part)), nothing);
    case 'TemplateProcessing':
      return template(component);
    case 'BertProcessing':
    case 'RobertaProcessing':
      return { before: [namedId(component, 'cls')], after: [namedId(component, 'sep')] };
    default:
      throw unknownKind(component);
  }
}

const around = (inner: Surroundings, outer: Surroundings): Surroundings => ({
  before: [...outer.before, ...inner.before],
  after: [...inner.after, ...outer.after],
});

function template(component: Component): Surroundings {
  const { single, special_tokens: tokens } = component.fields as {
    single?: unknown;
    special_tokens?: Readonly<Record<string, { readonly ids?: unknown }>>;
  };
  const path = `${component.path}.single`;
  if (!Array.isArray(single)) throw unusable(path, 'is no list');
  const before: number[] = [];
  const after: number[] = [];
  let texts = 0;
  for (const item of single as { Sequence?: { id?: unknown }; SpecialToken?: { id?: unknown } }[]) {
    if (item?.Sequence?.id === 'A') texts++;
    else {
      const name = String(item?.SpecialToken?.id);
      const ids = tokens !== undefined && Object.hasOwn(tokens, name) ? tokens[name]?.ids : undefined;
      if (!Array.isArray(ids) || !ids.every(isId))
        throw unusable(path, `names the token "${name}", which has no ids`);
      (texts === 0 ? before : after).push(...ids);
    }
  }
  if (texts !== 1) throw unusable(path, 'does not hold the text A exactly once');
  return { before, after };
}

/** `["</s>", 2]` */
function namedId(component: Component, key: string): number {
  const value = component.fields[key];
  const id = Array.isArray(value) ? value[1] : undefined;
  if (!isId(id)) throw unusable(`${component.path}.${key}`, 'is no token with its id');
  return id;
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
