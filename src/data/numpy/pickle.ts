// Reads the pickles inside NumPy archives without ever executing anything: a small stack machine that knows plain values,
// lists, tuples, dicts and the handful of NumPy names with which arrays and scalars are written. Every other name, and every
// other instruction, is refused with the place where it stood. Format: the pickle protocols 0x80 2 to 5 of Python.
import { archiveError, damaged } from "./archive-error.ts";
import type { ArchiveBudget } from "./budget.ts";
import { PickledArray, PickledDtype, reduce, type WhitelistedName, whitelistedName } from "./pickle-names.ts";

export interface PickleBounds {
  /** Instructions; one value takes one to three. */
  readonly maxSteps: number;
  /** Lists, tuples and dicts: a byte of pickle makes one, and each costs a hundred bytes of memory. */
  readonly maxContainers: number;
}

const mark = Symbol("mark");

/**
 * The value that a pickle stands for: null, booleans, numbers, strings, Uint8Array, arrays (lists, tuples, sets), Map (dicts),
 * NumpyArray.
 * @param budget of the archive, for all that the pickle makes by copying
 * @throws DatasetError ERR_NPZ_REFUSED for anything that would run code, ERR_NPZ_UNREADABLE for damage, ERR_NPZ_TOO_LARGE
 */
export function readPickle(bytes: Uint8Array, file: string, bounds: PickleBounds, budget: ArchiveBudget): unknown {
  const machine = new Machine(bytes, file, budget);
  for (let step = 0; step < bounds.maxSteps; step++) {
    if (machine.step()) return finished(machine.pop());
    if (machine.numContainers > bounds.maxContainers) break;
  }
  throw archiveError(
    "ERR_NPZ_TOO_LARGE",
    file,
    `expected a pickle of at most ${bounds.maxSteps} instructions and ${bounds.maxContainers} lists and dicts, got more`,
    "It may be made to fill the memory; if it is yours, split it.",
  );
}

function finished(value: unknown): unknown {
  return value instanceof PickledArray ? value.toArray() : value;
}

/** One instruction at a time; each is a method-sized case of `step`. */
class Machine {
  numContainers = 0;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly file: string;
  private readonly budget: ArchiveBudget;
  private readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();
  private at = 0;

  constructor(bytes: Uint8Array, file: string, budget: ArchiveBudget) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.file = file;
    this.budget = budget;
  }

  /** @returns true at the end of the pickle. */
  step(): boolean {
    const start = this.at;
    const opcode = this.take(1)[0]!;
    switch (opcode) {
      case 0x80: // PROTO
        if (this.take(1)[0]! > 5) throw damaged(this.file, "pickle protocol 2 to 5", "a newer one");
        return false;
      case 0x95: // FRAME
        this.take(8);
        return false;
      case 0x2e: // STOP
        return true;
      case 0x28: // MARK
        this.stack.push(mark);
        return false;
      case 0x30: // POP takes a mark too
        if (this.stack.at(-1) === mark) this.stack.pop();
        else this.pop();
        return false;
      case 0x4e: // NONE
        return this.push(null);
      case 0x88: // NEWTRUE
        return this.push(true);
      case 0x89: // NEWFALSE
        return this.push(false);
      default:
        if (this.number(opcode) || this.text(opcode) || this.container(opcode) || this.memory(opcode)) return false;
        if (this.named(opcode)) return false;
        throw archiveError(
          "ERR_NPZ_REFUSED",
          this.file,
          `expected plain data, got pickle instruction 0x${opcode.toString(16)} at byte ${start}`,
          "Nothing was executed. Save the data as strings and numbers.",
        );
    }
  }

  /** The last value; a mark is none, so it never becomes a part of one. */
  pop(): unknown {
    const value = this.top();
    this.stack.pop();
    return value;
  }

  private push(value: unknown): false {
    this.stack.push(value);
    return false;
  }

  private top(): unknown {
    const value = this.stack.at(-1);
    if (this.stack.length > 0 && value !== mark) return value;
    throw damaged(this.file, "a value on the pickle's stack", value === mark ? "a mark" : "none");
  }

  private take(count: number): Uint8Array {
    if (this.at + count > this.bytes.length) throw damaged(this.file, `${count} more bytes of the pickle`, "its end");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  private unsigned(size: 1 | 2 | 4 | 8): number {
    const at = this.at;
    this.take(size);
    if (size === 1) return this.view.getUint8(at);
    if (size === 2) return this.view.getUint16(at, true);
    return size === 4 ? this.view.getUint32(at, true) : Number(this.view.getBigUint64(at, true));
  }

  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw damaged(this.file, "a line in the pickle", "its end");
    return Buffer.from(this.take(end + 1 - this.at))
      .toString("utf8")
      .slice(0, -1);
  }

  private number(opcode: number): boolean {
    if (opcode === 0x4b)
      this.push(this.unsigned(1)); // BININT1
    else if (opcode === 0x4d)
      this.push(this.unsigned(2)); // BININT2
    else if (opcode === 0x4a)
      this.push(this.unsigned(4) | 0); // BININT
    else if (opcode === 0x8a)
      this.push(this.long()); // LONG1
    else if (opcode === 0x47) {
      const at = this.at;
      this.take(8);
      this.push(this.view.getFloat64(at, false)); // BINFLOAT
    } else return false;
    return true;
  }

  /** Little-endian two's complement of any length. */
  private long(): number {
    const digits = this.take(this.unsigned(1));
    let value = 0n;
    for (let i = digits.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(digits[i]!);
    return Number(BigInt.asIntN(8 * digits.length, value));
  }

  private text(opcode: number): boolean {
    const sizes: Readonly<Record<number, 1 | 4 | 8>> = { 140: 1, 88: 4, 141: 8 }; // [SHORT_]BINUNICODE[8]
    const byteSizes: Readonly<Record<number, 1 | 4 | 8>> = { 67: 1, 66: 4, 142: 8, 150: 8 }; // BINBYTES, BYTEARRAY8
    const size = sizes[opcode];
    const byteSize = byteSizes[opcode];
    if (size !== undefined) this.push(Buffer.from(this.take(this.unsigned(size))).toString("utf8"));
    else if (byteSize !== undefined) this.push(this.take(this.unsigned(byteSize)));
    else return false;
    return true;
  }

  private sinceMark(): unknown[] {
    const from = this.stack.lastIndexOf(mark);
    if (from < 0) throw damaged(this.file, "a mark on the pickle's stack", "none");
    const values = this.stack.splice(from);
    return values.slice(1);
  }

  private container(opcode: number): boolean {
    if (opcode === 0x5d || opcode === 0x29)
      this.made([]); // EMPTY_LIST, EMPTY_TUPLE
    else if (opcode === 0x7d)
      this.made(new Map()); // EMPTY_DICT
    else if (opcode === 0x74 || opcode === 0x6c)
      this.made(this.sinceMark().map(finished)); // TUPLE, LIST
    else if (opcode === 0x64)
      this.made(this.setItems(new Map(), this.sinceMark())); // DICT
    else if (opcode >= 0x85 && opcode <= 0x87)
      this.tuple(opcode - 0x84); // TUPLE1, TUPLE2, TUPLE3
    else if (opcode === 0x61)
      this.append([this.pop()]); // APPEND
    else if (opcode === 0x65)
      this.append(this.sinceMark()); // APPENDS
    else if (opcode === 0x73) {
      const value = this.pop();
      const key = this.pop();
      this.setItems(this.top(), [key, value]); // SETITEM
    } else if (opcode === 0x75) {
      const items = this.sinceMark();
      this.setItems(this.top(), items); // SETITEMS
    } else return false;
    return true;
  }

  private tuple(size: number): void {
    const values: unknown[] = [];
    for (let i = 0; i < size; i++) values.unshift(finished(this.pop()));
    this.made(values);
  }

  private append(values: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw damaged(this.file, "a list to append to", "something else");
    for (const value of values) list.push(finished(value));
  }

  private made(container: unknown): void {
    this.numContainers++;
    this.push(container);
  }

  private setItems(target: unknown, items: readonly unknown[]): unknown {
    if (!(target instanceof Map) || items.length % 2 !== 0) {
      throw damaged(this.file, "a dict and pairs for it", "something else");
    }
    for (let i = 0; i < items.length; i += 2) target.set(finished(items[i]), finished(items[i + 1]));
    return target;
  }

  private memory(opcode: number): boolean {
    if (opcode === 0x71)
      this.memo.set(this.unsigned(1), this.top()); // BINPUT
    else if (opcode === 0x72)
      this.memo.set(this.unsigned(4), this.top()); // LONG_BINPUT
    else if (opcode === 0x94)
      this.memo.set(this.memo.size, this.top()); // MEMOIZE
    else if (opcode === 0x68 || opcode === 0x6a) {
      const key = this.unsigned(opcode === 0x68 ? 1 : 4); // BINGET, LONG_BINGET
      if (!this.memo.has(key)) throw damaged(this.file, `memo ${key} of the pickle`, "none");
      this.push(this.memo.get(key));
    } else return false;
    return true;
  }

  private named(opcode: number): boolean {
    if (opcode === 0x63) {
      const module = this.line();
      this.push(whitelistedName(module, this.line(), this.file)); // GLOBAL
    } else if (opcode === 0x93) {
      const name = this.pop();
      const module = this.pop();
      if (typeof name !== "string" || typeof module !== "string") throw damaged(this.file, "a name", "something else");
      this.push(whitelistedName(module, name, this.file)); // STACK_GLOBAL
    } else if (opcode === 0x52) {
      const args = this.pop();
      this.push(reduce(this.pop() as WhitelistedName, args, this.file, this.budget)); // REDUCE
    } else if (opcode === 0x62) {
      const state = this.pop();
      const target = this.top();
      if (!(target instanceof PickledArray) && !(target instanceof PickledDtype)) {
        throw damaged(this.file, "an array or a dtype to build", "something else");
      }
      target.build(state, this.file, this.budget); // BUILD
    } else return false;
    return true;
  }
}
