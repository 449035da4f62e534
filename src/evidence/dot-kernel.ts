// Dot products of 4 by 4 rows with the processor's vector instructions: a WebAssembly function of one loop, put together
// here from its instructions, since JavaScript has no word for them. Two sums share a register, each in double precision
// and in the order of the dimension, so every result is the one of the plain loop, bit for bit.

/** Rows on either side of one call. */
export const panelRows = 4;
const bytesPerValue = 8;
/** Of one place of the dimension: its value in each of the rows. */
const panelStride = panelRows * bytesPerValue;
const pageBytes = 65_536;

export interface DotKernel {
  /** Two panels and their results, as double precision numbers: see `panelAt` and `results`. */
  readonly values: Float64Array;
  /** Where a panel begins in `values`; it is laid out [dimension, 4]. The left one is number 0. */
  panelAt(index: number): number;
  /** Fills `results` with the products of the left panel with the one of this number. */
  run(index: number): void;
  /** Row-major [4, 4], rows of the left panel. */
  readonly results: Float64Array;
}

const panelRegisters = (panelRows * panelRows) / 2;
const [i32, v128] = [0x7f, 0x7b];
const op = {
  ...{ loop: [0x03, 0x40], end: 0x0b, branchIf: 0x0d, get: 0x20, set: 0x21, tee: 0x22 },
  ...{ constant: 0x41, lessUnsigned: 0x49, add: 0x6a },
  ...{ load: [0xfd, 0x00], loadSplat: [0xfd, 0x0a], store: [0xfd, 0x0b], addPair: [0xfd, 0xf0, 0x01] },
  mulPair: [0xfd, 0xf2, 0x01],
} as const;
/** log2 of the alignment, as memory instructions carry it. */
const [align16, align8] = [4, 3];

/** Parameters, then what the function keeps. Pairs are pairs of right rows. */
const local = { left: 0, right: 1, end: 2, out: 3, pairs: 4, splat: 6, sums: 7 } as const;

/** Locals and instructions of `dot(left, right, end, out)`: addresses; `end` is where the right panel ends. */
function functionBody(): number[] {
  const code: number[] = [...op.loop];
  const numPairs = panelRows / 2;
  for (let pair = 0; pair < numPairs; pair++) {
    code.push(op.get, local.right, ...op.load, align16, pair * 2 * bytesPerValue, op.set, local.pairs + pair);
  }
  for (let row = 0; row < panelRows; row++) {
    code.push(op.get, local.left, ...op.loadSplat, align8, row * bytesPerValue, op.set, local.splat);
    for (let pair = 0; pair < numPairs; pair++) {
      const sum = local.sums + row * numPairs + pair;
      code.push(op.get, sum, op.get, local.splat, op.get, local.pairs + pair);
      code.push(...op.mulPair, ...op.addPair, op.set, sum);
    }
  }
  code.push(op.get, local.left, op.constant, panelStride, op.add, op.set, local.left);
  code.push(op.get, local.right, op.constant, panelStride, op.add, op.tee, local.right);
  code.push(op.get, local.end, op.lessUnsigned, op.branchIf, 0, op.end);
  for (let register = 0; register < panelRegisters; register++) {
    const offset = register * 2 * bytesPerValue;
    code.push(op.get, local.out, op.get, local.sums + register, ...op.store, align16, offset);
  }
  const numVectors = numPairs + 1 + panelRegisters;
  return [1, numVectors, v128, ...code, op.end];
}

/** Every length here is below 128, but the code's. */
function moduleBytes(): Uint8Array<ArrayBuffer> {
  const body = functionBody();
  const sized = (bytes: readonly number[]) => [...lengthBytes(bytes.length), ...bytes];
  const name = (text: string) => sized([...text].map((letter) => letter.charCodeAt(0)));
  const section = (id: number, bytes: readonly number[]) => [id, ...sized(bytes)];
  const [types, imports, functions, exports, code] = [1, 2, 3, 7, 10];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(types, [1, 0x60, 4, i32, i32, i32, i32, 0]),
    ...section(imports, [1, ...name("m"), ...name("m"), 0x02, 0x00, 0]),
    ...section(functions, [1, 0]),
    ...section(exports, [1, ...name("dot"), 0x00, 0]),
    ...section(code, [1, ...sized(body)]),
  ]);
}

/** LEB128 */
function lengthBytes(length: number): number[] {
  return length < 128 ? [length] : [(length & 127) | 128, ...lengthBytes(length >> 7)];
}

/** What is used here of a global that the types of Node 20 leave out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

let compiled: object | null = null;

/** Room for one left panel and so many right ones, numbered from 1, of rows of `dimension` numbers (1 or more). */
export function createDotKernel(dimension: number, numRightPanels: number): DotKernel {
  compiled ??= new WebAssembly.Module(moduleBytes());
  const panelBytes = dimension * panelStride;
  const resultBytes = panelRows * panelRows * bytesPerValue;
  const numPages = Math.ceil((resultBytes + (1 + numRightPanels) * panelBytes) / pageBytes);
  const memory = new WebAssembly.Memory({ initial: numPages });
  const { dot } = new WebAssembly.Instance(compiled, { m: { m: memory } }).exports as {
    readonly dot: (left: number, right: number, end: number, out: number) => void;
  };
  const byteAt = (index: number) => resultBytes + index * panelBytes;
  return {
    values: new Float64Array(memory.buffer),
    panelAt: (index) => byteAt(index) / bytesPerValue,
    run: (index) => dot(byteAt(0), byteAt(index), byteAt(index + 1), 0),
    results: new Float64Array(memory.buffer, 0, panelRows * panelRows),
  };
}
