// The names that a pickle of NumPy data may mention, and what each of them means here. Nothing is looked up in any module:
// the table below is all there is.
import { archiveError, damaged } from "./archive-error.ts";
import { countOf, decodeValues, type NumpyArray, shapeOf } from "./array.ts";
import type { ArchiveBudget } from "./budget.ts";

const names = {
  "numpy.core.multiarray._reconstruct": "reconstruct",
  "numpy._core.multiarray._reconstruct": "reconstruct",
  "numpy.core.multiarray.scalar": "scalar",
  "numpy._core.multiarray.scalar": "scalar",
  "numpy.core.numeric._frombuffer": "frombuffer",
  "numpy._core.numeric._frombuffer": "frombuffer",
  "numpy.ndarray": "ndarray",
  "numpy.dtype": "dtype",
  "_codecs.encode": "encode",
  "builtins.set": "set",
  "__builtin__.set": "set",
} as const;

export class WhitelistedName {
  readonly meaning: (typeof names)[keyof typeof names];
  constructor(meaning: WhitelistedName["meaning"]) {
    this.meaning = meaning;
  }
}

/** @throws DatasetError ERR_NPZ_REFUSED */
export function whitelistedName(module: string, name: string, file: string): WhitelistedName {
  const full = `${module}.${name}`;
  if (Object.hasOwn(names, full)) return new WhitelistedName(names[full as keyof typeof names]);
  throw archiveError(
    "ERR_NPZ_REFUSED",
    file,
    `expected arrays, strings and numbers only, got a pickle that names ${JSON.stringify(full.slice(0, 80))}`,
    "Nothing was executed. Do not load this file with Python either unless you trust who made it.",
  );
}

/** A dtype while it is being built: `dtype("f8", ...)`, then its byte order. */
export class PickledDtype {
  private readonly type: string;
  private order = "|";

  constructor(type: string) {
    this.type = type;
  }

  build(state: unknown, file: string): void {
    const order = Array.isArray(state) ? (state[1] as unknown) : null;
    if (order !== "<" && order !== ">" && order !== "|" && order !== "=") {
      throw damaged(
        file,
        "a dtype with a byte order",
        typeof order === "string" ? order.slice(0, 20) : "another value",
      );
    }
    // For strings the state carries the item size, but "U12" and "S3" say it themselves.
    this.order = order;
  }

  get text(): string {
    return this.type.startsWith("O") ? "|O" : `${this.order}${this.type}`;
  }
}

/** An array while it is being built: empty, then its shape, dtype and content. */
export class PickledArray {
  private array: NumpyArray | null = null;

  build(state: unknown, file: string, budget: ArchiveBudget): void {
    const [, shape, dtype, isFortran, content] = Array.isArray(state) ? (state as unknown[]) : [];
    if (!(dtype instanceof PickledDtype)) throw damaged(file, "an array's state", "another");
    const sizes = shapeOf(shape, file);
    if (isFortran === true && sizes.length > 1) throw damaged(file, "row-major arrays", "a column-major one");
    this.array = arrayOf(dtype, sizes, content, file, budget);
  }

  toArray(): NumpyArray {
    return this.array ?? { dtype: "|O", shape: [0], values: [] };
  }
}

function arrayOf(
  dtype: PickledDtype,
  shape: readonly number[],
  content: unknown,
  file: string,
  budget: ArchiveBudget,
): NumpyArray {
  if (dtype.text !== "|O") {
    if (!(content instanceof Uint8Array)) throw damaged(file, "an array's bytes", "something else");
    return decodeValues(dtype.text, shape, content, file, budget);
  }
  if (!Array.isArray(content) || content.length !== countOf(shape, file)) {
    throw damaged(file, `${shape.join(" x ")} objects`, "another number of them");
  }
  return { dtype: "|O", shape, values: content };
}

/** What a call of a whitelisted name gives. @throws DatasetError ERR_NPZ_REFUSED, ERR_NPZ_UNREADABLE, ERR_NPZ_TOO_LARGE */
export function reduce(callee: unknown, args: unknown, file: string, budget: ArchiveBudget): unknown {
  const [first, second, third] = Array.isArray(args) ? (args as unknown[]) : [];
  switch (callee instanceof WhitelistedName ? callee.meaning : null) {
    case "reconstruct":
      if (first instanceof WhitelistedName && first.meaning === "ndarray") return new PickledArray();
      break;
    case "dtype":
      if (typeof first === "string") return new PickledDtype(first);
      break;
    case "scalar":
      if (first instanceof PickledDtype && second instanceof Uint8Array) {
        return decodeValues(first.text, [], second, file, budget).values[0];
      }
      break;
    case "frombuffer":
      if (first instanceof Uint8Array && second instanceof PickledDtype) {
        return decodeValues(second.text, shapeOf(third, file), first, file, budget);
      }
      break;
    case "set":
      if (!Array.isArray(first)) break;
      budget.spendSlots(first.length, file);
      return [...first];
    case "encode":
      if (typeof first !== "string" || second !== "latin1") break;
      budget.spendText(first.length, file);
      return new Uint8Array(Buffer.from(first, "latin1"));
  }
  throw archiveError(
    "ERR_NPZ_REFUSED",
    file,
    "expected arrays, strings and numbers only, got a pickle that calls something else",
    "Nothing was executed. Do not load this file with Python either unless you trust who made it.",
  );
}
