const encoder = new TextEncoder();

/** Tokens `<0x00>` to `<0xFF>` for the bytes of a text; undefined for one of which a byte has no token. */
export function byteFallback(ids: ReadonlyMap<string, number>): (text: string) => number[] | undefined {
  const byByte = Array.from({ length: 256 }, (_, byte) =>
    ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  );
  return (text) => {
    const made: number[] = [];
    for (const byte of encoder.encode(text)) {
      const id = byByte[byte];
      if (id === undefined) return undefined;
      made.push(id);
    }
    return made;
  };
}
