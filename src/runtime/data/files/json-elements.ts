import { badRow, brokenFile } from '../data-error.ts';

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Of one row, and of all that stands around the rows, in bytes. */
const LONGEST_ROW = 1 << 28;
const LARGEST_FRAME = 1 << 24;
const LONGEST_KEY = 1024;

/**
 * Cuts the bytes of `[row, …]`, or of an object with one list of objects among its values, into the text of each row, while
 * they stream: never more than one row is held. Give it the file's bytes with `push`, then call `end`.
 * @throws DataError `broken-data-file` where what is around the rows is not JSON or there is not exactly one list of rows,
 *   `bad-row` for a row that is missing, longer than 256 MiB or not UTF-8
 */
export class JsonElements {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** Depth of brackets; within quotes. */
  private depth = 0;
  private inText = false;
  private escaped = false;
  private isList: boolean | undefined;
  /** Depth of the elements while in a list that may hold rows, else 0. */
  private rowsDepth = 0;
  private key = '';
  private readonly listsOfObjects: string[] = [];
  private count = 0;
  /** What is around the rows, with nothing in their lists: JSON of its own. */
  private readonly frame: Buffer[] = [];
  private frameBytes = 0;
  private element: Buffer[] = [];
  private elementBytes = 0;
  private elementsHere = 0;

  constructor(
    private readonly path: string,
    /** Which value of an object is the list; undefined for the only one that holds objects. */
    private readonly field: string | undefined,
  ) {}

  *push(chunk: Buffer): Generator<string> {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (this.inText) this.withinText(byte);
      else if (byte === QUOTE) this.inText = true;
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
        this.depth++;
        if (!this.opensRows(byte)) continue;
        this.addToFrame(chunk.subarray(from, at + 1));
        this.enterRows();
        from = at + 1;
      } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
        if (this.rowsDepth > 0 && this.depth === this.rowsDepth) {
          this.addToElement(chunk.subarray(from, at));
          yield* this.finish(true);
          this.rowsDepth = 0;
          from = at;
        }
        this.depth--;
      } else if (byte === COMMA && this.rowsDepth > 0 && this.depth === this.rowsDepth) {
        this.addToElement(chunk.subarray(from, at));
        yield* this.finish(false);
        from = at + 1;
      }
    }
    const rest = chunk.subarray(from);
    if (this.rowsDepth > 0) this.addToElement(rest);
    else this.addToFrame(rest);
  }

  end(): void {
    const frame = Buffer.concat(this.frame)
      .toString()
      .replace(/^\uFEFF/, '');
    if (frame.trim() === '') return;
    if (this.isList === undefined) throw brokenFile(this.path, 'it is no JSON list and no JSON object');
    if (this.depth > 0 || this.inText) throw brokenFile(this.path, 'it ends in the middle of its JSON');
    try {
      JSON.parse(frame);
    } catch {
      throw brokenFile(this.path, 'what stands around its rows is not JSON');
    }
    if (!this.isList && this.listsOfObjects.length === 0) {
      const missing =
        this.field === undefined ? 'no list of objects' : `no list of objects \`${this.field}\``;
      const help = 'a JSON file is a list of objects, or an object with such a list: `{"data": [{…}]}`';
      throw brokenFile(this.path, `it is an object with ${missing} among its values`, help);
    }
  }

  private withinText(byte: number): void {
    if (this.escaped) this.escaped = false;
    else if (byte === BACKSLASH) this.escaped = true;
    else if (byte === QUOTE) this.inText = false;
  }

  private opensRows(byte: number): boolean {
    this.isList ??= byte === OPEN_LIST;
    return byte === OPEN_LIST && this.rowsDepth === 0 && this.depth === (this.isList ? 1 : 2);
  }

  private enterRows(): void {
    this.rowsDepth = this.depth;
    this.elementsHere = 0;
    const around = this.frameEnd();
    const written = /("(?:[^"\\]|\\.)*")\s*:\s*\[$/.exec(around)?.[1] ?? '""';
    this.key = String(JSON.parse(written));
  }

  /** The last of the frame, where a name stands before its list. */
  private frameEnd(): string {
    let [first, bytes] = [this.frame.length, 0];
    while (first > 0 && bytes < LONGEST_KEY) bytes += this.frame[--first]!.length;
    return Buffer.concat(this.frame.slice(first)).toString();
  }

  private addToFrame(part: Buffer): void {
    this.frame.push(Buffer.from(part));
    this.frameBytes += part.length;
    if (this.frameBytes > LARGEST_FRAME)
      throw brokenFile(this.path, 'it has more than 16 MiB of JSON around its rows');
  }

  private addToElement(part: Buffer): void {
    this.element.push(part);
    this.elementBytes += part.length;
    if (this.elementBytes > LONGEST_ROW)
      throw badRow({ file: this.path, line: this.count + 1 }, 'the row is longer than 256 MiB');
  }

  /** The last element of a list may be empty only where it is the first too. */
  private *finish(isLast: boolean): Generator<string> {
    const bytes = this.element.length === 1 ? this.element[0]! : Buffer.concat(this.element);
    this.element = [];
    this.elementBytes = 0;
    let [first, last] = [0, bytes.length];
    while (first < last && isSpace(bytes[first]!)) first++;
    while (last > first && isSpace(bytes[last - 1]!)) last--;
    if (first === last) {
      if (isLast && this.elementsHere === 0) return;
      throw badRow({ file: this.path, line: this.count + 1 }, 'a row is missing beside a comma');
    }
    this.elementsHere++;
    if (!this.isList && !this.holdsRows(bytes[first]!)) return;
    this.count++;
    yield this.decoded(bytes.subarray(first, last));
  }

  /** Of an object's lists, those that hold objects, or the one that is named. */
  private holdsRows(firstByte: number): boolean {
    if (this.field === undefined ? firstByte !== OPEN_OBJECT : this.key !== this.field) return false;
    if (this.listsOfObjects.includes(this.key)) return true;
    this.listsOfObjects.push(this.key);
    if (this.listsOfObjects.length === 1) return true;
    const names = this.listsOfObjects.map((name) => `\`${name}\``).join(' and ');
    const help = `say which holds the rows: \`json("${this.path}" field=${this.listsOfObjects[0]})\``;
    throw brokenFile(this.path, `it has more than one list of objects: ${names}`, help);
  }

  private decoded(bytes: Buffer): string {
    try {
      return this.decoder.decode(bytes);
    } catch {
      const place = { file: this.path, line: this.count };
      throw badRow(place, 'this is not UTF-8 text; convert the file to UTF-8');
    }
  }
}
