// Safetensors: round trips, copy on write, and every kind of malformed file.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import {
  CheckpointError,
  indices,
  numLiveTensors,
  op,
  openSafetensors,
  scope,
  type Tensor,
  tensor,
  writeSafetensors,
} from "../../src/tensor/index.ts";

const directory = mkdtempSync(join(tmpdir(), "oppo-safetensors-"));
after(() => rmSync(directory, { recursive: true }));
const path = (name: string) => join(directory, name);

/** A file with this header (or raw header text) and this many bytes of data: 0, 1, 2, ... */
function craft(name: string, header: object | string, dataBytes: number, headerBytes?: bigint): string {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header), "latin1");
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(headerBytes ?? BigInt(json.length));
  const data = Uint8Array.from({ length: dataBytes }, (_, i) => i);
  writeFileSync(path(name), Buffer.concat([length, json, data]));
  return path(name);
}

describe("round trip", () => {
  test("every stored dtype, empty and scalar tensors, metadata", () => {
    const before = numLiveTensors();
    scope(() => {
      const numbers = tensor(new Float32Array([0, 1, 2, 3, 100, 5]), [2, 3]);
      const dtypes = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8"] as const;
      const tensors = new Map<string, Tensor>(dtypes.map((dtype) => [dtype, numbers.to(dtype)]));
      tensors
        .set("bool", numbers.gt(2))
        .set("empty", op.zeros([0, 3]))
        .set("scalar", numbers.sum());
      tensors.set("transposed", numbers.t());
      writeSafetensors(path("all"), tensors, { format: "pt" });
      using file = openSafetensors(path("all"));
      assert.deepEqual(file.metadata, { format: "pt" });
      assert.deepEqual([...file.entries.keys()].toSorted(), [...tensors.keys()].toSorted());
      for (const [name, expected] of tensors) {
        const got = file.tensor(name);
        assert.equal(got.dtype, expected.dtype, name);
        assert.deepEqual(got.shape, expected.shape, name);
        assert.deepEqual(got.toNumbers(), expected.toNumbers(), name);
      }
    });
    assert.equal(numLiveTensors(), before);
    assert.deepEqual(readdirSync(directory), ["all"], "no temporary file is left");
  });

  test("in-place changes stay in memory; views outlive the file object", () => {
    scope(() => {
      writeSafetensors(path("cow"), new Map([["x", indices([1, 2, 3])]]));
      const bytes = readFileSync(path("cow"));
      const file = openSafetensors(path("cow"));
      const x = file.tensor("x").add_(10);
      file[Symbol.dispose]();
      assert.deepEqual(x.toNumbers(), [11, 12, 13]);
      assert.deepEqual(readFileSync(path("cow")), bytes);
      using again = openSafetensors(path("cow"));
      assert.deepEqual(again.tensor("x").toNumbers(), [1, 2, 3]);
    });
  });

  test("a tensor at an odd offset is read right", () => {
    // Data bytes are 0, 1, 2, ...: one uint8, then an int32 from bytes 1 to 4, little endian.
    const header = {
      byte: { dtype: "U8", shape: [1], data_offsets: [0, 1] },
      word: { dtype: "I32", shape: [1], data_offsets: [1, 5] },
    };
    scope(() => {
      using file = openSafetensors(craft("odd", header, 5));
      assert.deepEqual(file.tensor("word").toNumbers(), [0x04030201]);
      assert.deepEqual(file.tensor("byte").toNumbers(), [0]);
    });
  });

  test("writing replaces atomically and reports where it cannot", () => {
    scope(() => {
      const x = indices([1]);
      const missing = join(directory, "missing", "file");
      assert.throws(() => writeSafetensors(missing, new Map([["x", x]])), { code: "ERR_CHECKPOINT_WRITE" });
      const complex = op.fftRfft(op.ones([4]));
      assert.throws(() => writeSafetensors(path("c"), new Map([["x", complex]])), { code: "ERR_CHECKPOINT_DTYPE" });
      assert.ok(!readdirSync(directory).some((name) => name.includes(".partial-")));
    });
  });
});

describe("malformed files", () => {
  const deep = "[".repeat(50_000) + "]".repeat(50_000);
  const entry = (shape: unknown, offsets: unknown, dtype: unknown = "F32") => ({ dtype, shape, data_offsets: offsets });
  const one = (shape: unknown, offsets: unknown, dtype?: unknown) => ({ x: entry(shape, offsets, dtype) });
  const cases: readonly (readonly [
    name: string,
    code: string,
    text: RegExp,
    header: object | string,
    data: number,
    length?: bigint,
  ])[] = [
    ["header longer than the file", "ERR_CHECKPOINT_TRUNCATED", /the file ends after/, "{}", 0, 50n],
    ["absurd header length", "ERR_CHECKPOINT_HEADER", /at most 100000000 bytes/, "{}", 0, 2n ** 63n],
    ["no JSON", "ERR_CHECKPOINT_HEADER", /not valid JSON/, "{hello", 0],
    ["no object", "ERR_CHECKPOINT_HEADER", /no JSON object/, "[1]", 0],
    ["no UTF-8", "ERR_CHECKPOINT_HEADER", /not UTF-8/, '{"\xff": 1}', 0],
    ["entry no object", "ERR_CHECKPOINT_HEADER", /"x": expected an object/, { x: 3 }, 0],
    ["metadata no strings", "ERR_CHECKPOINT_HEADER", /__metadata__/, { __metadata__: { a: 1 } }, 0],
    ["unknown dtype", "ERR_CHECKPOINT_DTYPE", /got Q4/, one([1], [0, 4], "Q4"), 4],
    ["dtype from the prototype", "ERR_CHECKPOINT_DTYPE", /got toString/, one([1], [0, 4], "toString"), 4],
    [
      "dtype of any depth",
      "ERR_CHECKPOINT_DTYPE",
      /got a list/,
      `{"x":{"dtype":${deep},"shape":[],"data_offsets":[0,0]}}`,
      0,
    ],
    [
      "shape of any depth",
      "ERR_CHECKPOINT_SHAPE",
      /whole/,
      `{"x":{"dtype":"F32","shape":${deep},"data_offsets":[0,0]}}`,
      0,
    ],
    ["negative shape", "ERR_CHECKPOINT_SHAPE", /whole numbers/, one([-1], [0, 4]), 4],
    ["fractional shape", "ERR_CHECKPOINT_SHAPE", /whole numbers/, one([1.5], [0, 4]), 4],
    ["offsets missing", "ERR_CHECKPOINT_OFFSETS", /two byte offsets/, one([1], [0]), 4],
    ["offsets reversed", "ERR_CHECKPOINT_OFFSETS", /got \[4, 0\]/, one([1], [4, 0]), 4],
    ["offsets out of range", "ERR_CHECKPOINT_OFFSETS", /within 4 bytes/, one([2], [0, 8]), 4],
    ["shape does not fill the offsets", "ERR_CHECKPOINT_SIZE", /is 8 bytes, the offsets give 4/, one([2], [0, 4]), 4],
    ["shape product overflows", "ERR_CHECKPOINT_SHAPE", /is too large/, one([2 ** 40, 2 ** 40], [0, 4]), 4],
    ["overlap", "ERR_CHECKPOINT_LAYOUT", /overlaps/, { x: entry([2], [0, 8]), y: entry([2], [4, 12]) }, 12],
    ["gap", "ERR_CHECKPOINT_LAYOUT", /gap/, { x: entry([1], [0, 4]), y: entry([1], [8, 12]) }, 12],
    ["rest", "ERR_CHECKPOINT_LAYOUT", /expected 4 bytes of data, got 9/, one([1], [0, 4]), 9],
    [
      "duplicate name, once escaped",
      "ERR_CHECKPOINT_DUPLICATE",
      /names "x" twice/,
      `{"x": ${JSON.stringify(entry([1], [0, 4]))}, "\\u0078" : ${JSON.stringify(entry([1], [0, 4]))}}`,
      4,
    ],
  ];
  for (const [name, code, text, header, data, length] of cases) {
    test(name, () => {
      const before = numLiveTensors();
      assert.throws(
        () => openSafetensors(craft("bad", header, data, length)),
        (error: unknown) => {
          assert.ok(error instanceof CheckpointError, String(error));
          assert.equal(error.code, code);
          assert.equal(error.file, path("bad"));
          assert.match(error.message, text);
          return true;
        },
      );
      assert.equal(numLiveTensors(), before);
    });
  }

  test("the same header, well formed, is accepted (so the cases above fail for their own reason)", () => {
    using file = openSafetensors(craft("good", { x: entry([1], [0, 4]), y: entry([1], [4, 8]) }, 8));
    assert.deepEqual([...file.entries.keys()], ["x", "y"]);
  });

  test("a missing, an empty and a cut file", () => {
    assert.throws(() => openSafetensors(path("nowhere")), { code: "ERR_CHECKPOINT_MISSING" });
    writeFileSync(path("empty"), "");
    assert.throws(() => openSafetensors(path("empty")), { code: "ERR_CHECKPOINT_TRUNCATED" });
    scope(() => writeSafetensors(path("cut"), new Map([["x", op.ones([100])]])));
    writeFileSync(path("cut"), readFileSync(path("cut")).subarray(0, 200));
    assert.throws(() => openSafetensors(path("cut")), {
      code: "ERR_CHECKPOINT_OFFSETS",
      message: /Is the file complete/,
    });
  });

  test("a file that is cut while it is open is told before the pages that are gone are touched", () => {
    scope(() => {
      writeSafetensors(
        path("shrinks"),
        new Map([
          ["a", op.ones([4])],
          ["z", op.ones([100_000])],
        ]),
      );
      using file = openSafetensors(path("shrinks"));
      assert.equal(file.tensor("z").sum().item(), 100_000);
      truncateSync(path("shrinks"), 5000);
      const [first, last] = [...file.entries.keys()];
      assert.equal(file.tensor(first!).sum().item(), 4);
      assert.throws(() => file.tensor(last!), { code: "ERR_CHECKPOINT_TRUNCATED", message: /renaming/ });
      // Another file of that name is another file.
      writeSafetensors(path("replaced"), new Map([["z", op.ones([100_000])]]));
      using old = openSafetensors(path("replaced"));
      writeSafetensors(path("replaced"), new Map([["z", op.ones([1])]]));
      assert.equal(old.tensor("z").sum().item(), 100_000);
    });
  });

  test("asking for a name that is not there lists some that are", () => {
    using file = openSafetensors(craft("names", one([1], [0, 4]), 4));
    assert.throws(() => file.tensor("y"), { code: "ERR_CHECKPOINT_KEY", message: /no tensor "y" \(it has x/ });
  });
});
