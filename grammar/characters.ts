/**
 * Letters and marks that a name may hold, as explicit ranges: the lexer library drops the RegExp `u` flag, so
 * `\p{L}` would silently match nothing. Full-width forms (FF00–FF65) are left out on purpose: they are read as
 * punctuation or reported with their ASCII twin.
 */
const letters =
  'A-Za-z_' +
  '\\u00AA\\u00B5\\u00BA\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02C1\\u0370-\\u0374\\u0376-\\u037D\\u037F-\\u0481' +
  '\\u048A-\\u0559\\u0561-\\u0587\\u05D0-\\u05F2\\u0620-\\u064A\\u066E-\\u06D3\\u0904-\\u0DFF\\u0E01-\\u0E3A\\u0E40-\\u0EFF' +
  '\\u10A0-\\u1FBC\\u2071\\u207F\\u2090-\\u209C\\u2C00-\\u2DFF\\u3005-\\u3007\\u3021-\\u3029\\u3031-\\u3035\\u3038-\\u303C' +
  '\\u3041-\\u318F\\u31A0-\\u31FF\\u3400-\\u9FFF\\uA000-\\uD7FF\\uF900-\\uFAFF\\uFB00-\\uFDC7\\uFE70-\\uFEFC\\uFF66-\\uFFDC';

/** Digits and combining marks: legal after the first letter. */
const marks =
  '0-9\\u0300-\\u036F\\u0483-\\u0487\\u0591-\\u05C7\\u0610-\\u061A\\u064B-\\u0669\\u0900-\\u0903\\u1AB0-\\u1AFF\\u20D0-\\u20F0';

/** Ideographs beyond the first plane (extensions B to H) come as two UTF-16 units. */
export const astral = '[\\uD840-\\uD888][\\uDC00-\\uDFFF]';

export const nameStart = `(?:[${letters}]|${astral})`;
export const namePart = `(?:[${letters}${marks}]|${astral})`;
