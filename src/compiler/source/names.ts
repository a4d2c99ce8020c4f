/** Names: how they are compared, and which ones look like others. */

/** Names are the same where their canonical compositions (NFC) are. */
export const sameName = (written: string): string => written.normalize('NFC');

/** Letters of other scripts that most fonts draw like a Latin one. */
const twins: ReadonlyMap<string, string> = new Map(
  Object.entries({
    а: 'a',
    е: 'e',
    о: 'o',
    р: 'p',
    с: 'c',
    у: 'y',
    х: 'x',
    ѕ: 's',
    і: 'i',
    ј: 'j',
    ԁ: 'd',
    һ: 'h',
    ӏ: 'l',
    к: 'k',
    м: 'm',
    т: 't',
    в: 'b',
    н: 'h',
    А: 'A',
    В: 'B',
    Е: 'E',
    К: 'K',
    М: 'M',
    Н: 'H',
    О: 'O',
    Р: 'P',
    С: 'C',
    Т: 'T',
    Х: 'X',
    Ѕ: 'S',
    І: 'I',
    Ј: 'J',
    У: 'Y',
    α: 'a',
    ο: 'o',
    ρ: 'p',
    ν: 'v',
    υ: 'u',
    ι: 'i',
    κ: 'k',
    ε: 'e',
    τ: 't',
    χ: 'x',
    γ: 'y',
    η: 'n',
    ω: 'w',
    Α: 'A',
    Β: 'B',
    Ε: 'E',
    Ζ: 'Z',
    Η: 'H',
    Ι: 'I',
    Κ: 'K',
    Μ: 'M',
    Ν: 'N',
    Ο: 'O',
    Ρ: 'P',
    Τ: 'T',
    Υ: 'Y',
    Χ: 'X',
  }),
);

/** The name with look-alikes replaced by the Latin letters they resemble. */
export function skeleton(name: string): string {
  let out = '';
  for (const letter of name.normalize('NFKC')) out += twins.get(letter) ?? letter;
  return out;
}

/** The foreign letters of a name that mixes Latin letters with look-alikes of another alphabet; empty where all is well. */
export function lookAlikes(name: string): readonly string[] {
  if (/^[\x00-\x7F]*$/.test(name) || !/[A-Za-z]/.test(name)) return [];
  return [...new Set([...name].filter((letter) => twins.has(letter)))];
}
