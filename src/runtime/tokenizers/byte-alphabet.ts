/**
 * The printable character that stands for each byte in a byte-level vocabulary: itself where it is visible in
 * Latin-1, else the next of U+0100, U+0101, …
 * @see https://github.com/openai/gpt-2 `encoder.py`, bytes_to_unicode
 */
export const byteAlphabet: readonly string[] = makeAlphabet();

function makeAlphabet(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const visible = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCharCode(visible ? byte : next++);
  });
}
