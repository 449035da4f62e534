// Reads a regular expression in Python's syntax (re) into a tree. What cannot be answered by places alone (back
// references, conditions, atomic groups, possessive repeats) and verbose patterns are refused.

export type PatternNode =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "character"; readonly accepts: (character: string) => boolean }
  | { readonly kind: "place"; readonly accepts: (text: string, at: number) => boolean }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly options: readonly PatternNode[] }
  | { readonly kind: "repeat"; readonly body: PatternNode; readonly min: number; readonly max: number }
  | { readonly kind: "look"; readonly body: PatternNode; readonly isAhead: boolean; readonly isNegated: boolean };

type Accepts = (character: string) => boolean;

/** Every module of the largest model by its full name, and some. */
const MAX_LENGTH = 500_000;
const MAX_DEPTH = 100;

const isWord: Accepts = (c) => /\w/.test(c);
const classes: Readonly<Record<string, Accepts>> = {
  d: (c) => /\d/.test(c),
  D: (c) => !/\d/.test(c),
  s: (c) => /\s/.test(c),
  S: (c) => !/\s/.test(c),
  w: isWord,
  W: (c) => !isWord(c),
};
const controls: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", f: "\f", v: "\v", a: "\x07" };

const atWordEdge = (text: string, at: number) =>
  (at > 0 && isWord(text[at - 1]!)) !== (at < text.length && isWord(text[at]!));
const atStart = (_: string, at: number) => at === 0;
/** Python's `$` also stands before a last newline. */
const atEnd = (text: string, at: number) => at === text.length || (at === text.length - 1 && text[at] === "\n");

/** @throws SyntaxError */
export function parsePattern(source: string): PatternNode {
  if (source.length > MAX_LENGTH) throw new SyntaxError(`longer than ${MAX_LENGTH} characters`);
  const reader = new Reader(source);
  const node = reader.choice(false, 0);
  if (!reader.isDone) throw new SyntaxError("unbalanced parenthesis");
  return node;
}

class Reader {
  readonly #source: string;
  #at = 0;
  /** Whether letters match in either case. */
  #ignoresCase = false;

  constructor(source: string) {
    this.#source = source;
  }

  get isDone(): boolean {
    return this.#at >= this.#source.length;
  }

  choice(inGroup: boolean, depth: number): PatternNode {
    if (depth > MAX_DEPTH) throw new SyntaxError(`groups nested deeper than ${MAX_DEPTH}`);
    const options = [this.#sequence(depth)];
    while (this.#takes("|")) options.push(this.#sequence(depth));
    if (inGroup && !this.#takes(")")) throw new SyntaxError("missing )");
    return options.length === 1 ? options[0]! : { kind: "choice", options };
  }

  #takes(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  /** What a sticky expression finds here, taken. */
  #match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#source);
    if (found) this.#at += found[0].length;
    return found;
  }

  #sequence(depth: number): PatternNode {
    const parts: PatternNode[] = [];
    while (!this.isDone && !/[|)]/.test(this.#source[this.#at]!)) {
      const node = this.#repeated(this.#atom(depth));
      const last = parts.at(-1);
      if (node.kind === "literal" && last?.kind === "literal") {
        parts[parts.length - 1] = { kind: "literal", text: last.text + node.text };
      } else parts.push(node);
    }
    return parts.length === 1 ? parts[0]! : { kind: "sequence", parts };
  }

  #repeated(body: PatternNode): PatternNode {
    const found = this.#match(/[*+?]|\{(\d*),(\d*)\}|\{(\d+)\}/y);
    if (found === null || found[0] === "{,}") {
      if (found) this.#at -= found[0].length;
      return body;
    }
    // Which of the matches is taken first makes no difference to whether there is one.
    this.#takes("?");
    if (this.#match(/[*+?]|\{\d*,?\d*\}/y)) throw new SyntaxError("a repeat of a repeat, or a possessive one");
    const [sign, low, high, exact] = found;
    const [min, max] =
      sign === "*"
        ? [0, Infinity]
        : sign === "+"
          ? [1, Infinity]
          : sign === "?"
            ? [0, 1]
            : exact !== undefined
              ? [Number(exact), Number(exact)]
              : [Number(low), high === "" ? Infinity : Number(high)];
    if (min > max) throw new SyntaxError(`a repeat from ${min} to ${max}`);
    return { kind: "repeat", body, min, max };
  }

  #atom(depth: number): PatternNode {
    const character = this.#source[this.#at++]!;
    switch (character) {
      case ".":
        return { kind: "character", accepts: (c) => c !== "\n" };
      case "^":
        return { kind: "place", accepts: atStart };
      case "$":
        return { kind: "place", accepts: atEnd };
      case "(":
        return this.#group(depth + 1);
      case "[":
        return { kind: "character", accepts: this.#set() };
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw new SyntaxError("nothing to repeat");
      default:
        return this.#letter(character);
    }
  }

  #letter(character: string): PatternNode {
    if (!this.#ignoresCase || character.toLowerCase() === character.toUpperCase()) {
      return { kind: "literal", text: character };
    }
    const folded = character.toLowerCase();
    return { kind: "character", accepts: (c) => c.toLowerCase() === folded };
  }

  #escape(): PatternNode {
    const place = this.#match(/[bBAZz]/y)?.[0];
    if (place === "A") return { kind: "place", accepts: atStart };
    if (place === "Z" || place === "z") return { kind: "place", accepts: (text, at) => at === text.length };
    if (place !== undefined) {
      return { kind: "place", accepts: (text, at) => atWordEdge(text, at) === (place === "b") };
    }
    const one = this.#escaped();
    return typeof one === "string" ? this.#letter(one) : { kind: "character", accepts: one };
  }

  /** A class, or the one character that an escape stands for. */
  #escaped(): Accepts | string {
    const code = this.#match(/x([\da-fA-F]{2})|u([\da-fA-F]{4})|0/y);
    if (code) return String.fromCharCode(Number.parseInt(code[1] ?? code[2] ?? "0", 16));
    const character = this.#source[this.#at++];
    if (character === undefined) throw new SyntaxError("a \\ at the end");
    if (/\d/.test(character)) throw new SyntaxError("a back reference");
    const known = classes[character] ?? controls[character];
    if (known !== undefined) return known;
    if (/[a-zA-Z]/.test(character)) throw new SyntaxError(`\\${character} is unknown`);
    return character;
  }

  #group(depth: number): PatternNode {
    const ignored = this.#ignoresCase;
    if (!this.#takes("?")) return this.#scoped(depth, ignored);
    if (this.#match(/#[^)]*\)/y)) return { kind: "sequence", parts: [] };
    const look = this.#match(/<?[=!]/y)?.[0];
    if (look !== undefined) {
      const body = this.#scoped(depth, ignored);
      return { kind: "look", body, isAhead: !look.startsWith("<"), isNegated: look.endsWith("!") };
    }
    if (this.#match(/P<[^\W\d]\w*>/y)) return this.#scoped(depth, ignored);
    const flags = this.#match(/([aiLmsu]*)(-[ims]+)?([:)])/y);
    if (flags === null) throw new SyntaxError("a group of a kind that is not supported");
    const [all, on, off, end] = flags;
    if (end === ")" && this.#at !== all.length + 2) throw new SyntaxError("flags that are not at the start");
    this.#ignoresCase = (ignored || on!.includes("i")) && !(off ?? "").includes("i");
    return end === ")" ? { kind: "sequence", parts: [] } : this.#scoped(depth, ignored);
  }

  #scoped(depth: number, ignored: boolean): PatternNode {
    const node = this.choice(true, depth);
    this.#ignoresCase = ignored;
    return node;
  }

  #set(): Accepts {
    const isNegated = this.#takes("^");
    const members: Accepts[] = [];
    for (let first = true; ; first = false) {
      if (this.isDone) throw new SyntaxError("missing ]");
      if (!first && this.#takes("]")) break;
      const low = this.#member();
      const isRange = this.#source[this.#at] === "-" && (this.#source[this.#at + 1] ?? "]") !== "]";
      if (!isRange) {
        members.push(typeof low === "string" ? (c) => c === low : low);
        continue;
      }
      this.#at++;
      const high = this.#member();
      if (typeof low !== "string" || typeof high !== "string" || low > high) throw new SyntaxError("a bad range");
      members.push((c) => low <= c && c <= high);
    }
    const accepts: Accepts = this.#ignoresCase
      ? (c) => members.some((one) => one(c.toLowerCase()) || one(c.toUpperCase()))
      : (c) => members.some((one) => one(c));
    return (c) => accepts(c) !== isNegated;
  }

  #member(): Accepts | string {
    const character = this.#source[this.#at++]!;
    if (character !== "\\") return character;
    return this.#takes("b") ? "\b" : this.#escaped();
  }
}
