import { byteMerger } from './byte-merger.ts';
import { anyOf } from './count-words.ts';
import { byteCharacters, compileSplit, type Engine } from './engine.ts';
import type { TokenizerJson } from './tokenizer-files.ts';

/** Pieces remembered before the memory of them is dropped; a piece costs about 150 bytes. */
const MAX_REMEMBERED = 200_000;
/** Longer pieces hardly come back. */
const MAX_REMEMBERED_UNITS = 64;

/**
 * Encodes text with the package's own pieces, remembering the ids of each pre-token: words repeat, so this is many
 * times faster than the package's `encode` and gives the same ids. Where a tokenizer does anything else
 * than cut at special tokens, cut by a pattern and merge bytes, the package encodes the whole text.
 */
export function pieceEncoder(engine: Engine, json: TokenizerJson): (text: string) => Int32Array {
  const whole = (text: string) => engine.encode(text, { add_special_tokens: false }).ids;
  const split = splitOf(json);
  if (split === undefined) return (text) => Int32Array.from(whole(text));
  const pattern = compileSplit(split);
  const bytes = byteCharacters();
  const { model } = engine;
  const merge = byteMerger(json.model, model.tokens_to_ids);
  const encoder = new TextEncoder();
  const added = new Map(json.added_tokens.map((token) => [token.content, token.id]));
  const addedPattern = added.size === 0 ? undefined : anyOf([...added.keys()]);
  const remembered = new Map<string, readonly number[]>();

  function idsOf(piece: string): readonly number[] {
    const known = remembered.get(piece);
    if (known !== undefined) return known;
    const ids =
      merge?.(encoder.encode(piece)) ?? model([bytes(piece)]).map((token) => model.tokens_to_ids.get(token)!);
    if (piece.length <= MAX_REMEMBERED_UNITS) {
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(Buffer.from(piece).toString(), ids);
    }
    return ids;
  }

  return (text) => {
    const ids: number[] = [];
    const take = (piece: string) => {
      if (piece !== '') for (const id of idsOf(piece)) ids.push(id);
    };
    const plain = (part: string) => {
      let end = 0;
      for (const match of part.matchAll(pattern)) {
        take(part.slice(end, match.index));
        take(match[0]);
        end = match.index + match[0].length;
      }
      take(part.slice(end));
    };
    let start = 0;
    if (addedPattern !== undefined) {
      for (const match of text.matchAll(addedPattern)) {
        plain(text.slice(start, match.index));
        ids.push(added.get(match[0])!);
        start = match.index + match[0].length;
      }
    }
    plain(start === 0 ? text : text.slice(start));
    return Int32Array.from(ids);
  };
}

/**
 * The `Split` of a tokenizer that only cuts and merges bytes: no normalizer, added tokens matched as they are.
 */
function splitOf(json: TokenizerJson): object | undefined {
  const pre = json.pre_tokenizer as {
    type?: string;
    pretokenizers?: { type?: string; [key: string]: unknown }[];
  } | null;
  const [split, bytes, ...rest] = pre?.type === 'Sequence' ? (pre.pretokenizers ?? []) : [];
  const plainBytes =
    bytes?.type === 'ByteLevel' && bytes.use_regex === false && bytes.add_prefix_space === false;
  const plainSplit = split?.type === 'Split' && split.behavior === 'Isolated' && split.invert === false;
  const plainAdded = json.added_tokens.every(
    (t) => !t.lstrip && !t.rstrip && !t.single_word && t.content !== '',
  );
  const { model } = json;
  const plainModel = model.type === 'BPE' && !model.byte_fallback && !model.fuse_unk;
  const plain =
    plainBytes && plainSplit && plainAdded && plainModel && json.normalizer === null && rest.length === 0;
  return plain ? split : undefined;
}
