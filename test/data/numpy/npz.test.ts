// NumPy archives: real ones, hostile ones, damaged ones and bombs.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { defaultNpzBounds, type NpzBounds, readNpz, unwrapScalar } from "../../../src/data/numpy/npz.ts";
import { npzFixtures } from "../../support/npz-fixtures.ts";
import { type ZipLies, zipOf as zipOfMembers } from "../../support/zip.ts";

function fileOf(t: TestContext, bytes: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), "oppo-npz-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "x.npz");
  writeFileSync(file, bytes);
  return file;
}

function read(t: TestContext, bytes: Uint8Array, bounds: NpzBounds = defaultNpzBounds) {
  return readNpz(fileOf(t, bytes), bounds);
}

const fixture = (name: keyof typeof npzFixtures) => Buffer.from(npzFixtures[name], "base64");

function zipOf(name: string, data: Uint8Array, lies: ZipLies = {}): Buffer {
  return zipOfMembers({ [name]: data }, lies);
}

/** A 0-dimensional object array around a pickle. */
function objectNpy(pickle: Uint8Array): Buffer {
  const header = "{'descr': '|O', 'fortran_order': False, 'shape': (), }\n";
  return Buffer.concat([
    Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length, 0]),
    Buffer.from(header),
    pickle,
  ]);
}

describe("what NumPy writes is read", () => {
  test("label files", (t) => {
    const labels = read(t, fixture("labels"));
    const rows = unwrapScalar(labels.get("test1_corpus")!) as Map<string, Map<string, unknown>>;
    assert.deepEqual([...rows.keys()], ["s1", "s2"]);
    assert.deepEqual(Object.fromEntries(rows.get("s2")!), { emo: "neutral", val: -0.5 });
    assert.equal((unwrapScalar(labels.get("train_corpus")!) as Map<string, unknown>).size, 0);
  });

  test("NumPy scalars inside them", (t) => {
    const rows = unwrapScalar(read(t, fixture("scalars")).get("test_corpus")!) as Map<string, Map<string, unknown>>;
    assert.equal(rows.get("a")!.get("val"), -1.25);
    assert.equal(rows.get("b")!.get("val"), 0.5);
  });

  test("predictions in both layouts", (t) => {
    const reasons = unwrapScalar(read(t, fixture("reasons")).get("name2reason")!) as Map<string, string>;
    assert.deepEqual(
      [...reasons],
      [
        ["s1", "[happy, \u5f00\u5fc3]"],
        ["s2", ""],
      ],
    );
    const openset = read(t, fixture("openset"));
    assert.deepEqual(openset.get("filenames")!.values, ["s1", "s22"]);
    assert.deepEqual(openset.get("fileitems")!.values, ["[a, \u{1F600}]", "[]"]);
  });

  test("numbers, booleans, objects, and arrays inside a dict", (t) => {
    const mixed = read(t, fixture("mixed"));
    assert.deepEqual(Array.from(mixed.get("i")!.values), [0, 1, 2]);
    assert.deepEqual(mixed.get("b")!.values, [true, false]);
    assert.deepEqual(mixed.get("f")!.shape, [2, 2]);
    assert.deepEqual(Array.from(mixed.get("f")!.values), [1, 2, 3, 4]);
    assert.deepEqual(mixed.get("l")!.values, ["x", null, 3]);
    const inner = unwrapScalar(mixed.get("n")!) as Map<string, { values: ArrayLike<unknown> }>;
    assert.deepEqual(Array.from(inner.get("deep")!.values), [1.5, 2.5]);
    assert.deepEqual(inner.get("u")!.values, ["p", "qq"]);
  });

  for (const name of ["protocol2", "protocol4", "protocol5"] as const) {
    test(name, (t) => {
      const rows = unwrapScalar(read(t, fixture(name)).get("name2reason")!) as Map<string, unknown>;
      assert.deepEqual(Object.fromEntries(rows), { s1: "x", s2: "y".repeat(300), n: 2 ** 40, t: [1, 2, 3, 4] });
    });
  }
});

describe("what may harm is refused", () => {
  for (const name of ["hostile", "hostile4"] as const) {
    test(`${name}: a call of the operating system`, (t) => {
      assert.throws(() => read(t, fixture(name)), {
        code: "ERR_NPZ_REFUSED",
        message: /x\.npz:name2reason\.npy: .*"posix\.system".*Nothing was executed/,
      });
      assert.equal(existsSync("/tmp/oppo-pwned"), false);
    });
  }

  test("names of Object.prototype are no whitelist entries", (t) => {
    const pickle = Buffer.from("\x80\x03cconstructor\n\n.", "latin1");
    assert.throws(() => read(t, zipOf("a.npy", objectNpy(pickle))), { code: "ERR_NPZ_REFUSED" });
  });

  test("other instructions: INST, OBJ, PERSID, EXT1, NEWOBJ", (t) => {
    for (const opcode of ["i", "o", "P", "\x82", "\x81"]) {
      const pickle = Buffer.from(`\x80\x03N(${opcode}x\ny\n.`, "latin1");
      assert.throws(() => read(t, zipOf("a.npy", objectNpy(pickle))), { code: "ERR_NPZ_REFUSED" }, opcode);
    }
  });

  test("a bomb by its own word, a bomb that lies, a bomb of empty dicts", (t) => {
    const zeros = Buffer.alloc(1_000_000);
    const bounds = { ...defaultNpzBounds, maxBytes: 100_000 };
    assert.throws(() => read(t, zipOf("a.npy", zeros), bounds), { code: "ERR_NPZ_TOO_LARGE" });
    assert.throws(() => read(t, zipOf("a.npy", zeros, { size: 10 }), bounds), { code: "ERR_NPZ_TOO_LARGE" });
    assert.throws(() => read(t, zipOf("a.npy", zeros, { size: 0xffffffff }), bounds), { code: "ERR_NPZ_TOO_LARGE" });
    const dicts = objectNpy(Buffer.concat([Buffer.from([0x80, 3]), Buffer.alloc(600_000, "}"), Buffer.from(".")]));
    assert.throws(() => read(t, zipOf("a.npy", dicts)), { code: "ERR_NPZ_TOO_LARGE" });
    const steps = { ...defaultNpzBounds, pickle: { maxSteps: 100, maxContainers: 10 } };
    assert.throws(
      () => read(t, fixture("protocol4").subarray(), { ...steps, pickle: { ...steps.pickle, maxSteps: 5 } }),
      {
        code: "ERR_NPZ_TOO_LARGE",
      },
    );
  });
});

/** An array of a dtype and shape without any bytes. */
function emptyNpy(dtype: string, shape: string): Buffer {
  const header = `{'descr': '${dtype}', 'fortran_order': False, 'shape': (${shape}), }\n`;
  return Buffer.concat([Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length, 0]), Buffer.from(header)]);
}

describe("what copies itself into the memory is counted before it is made", () => {
  const bounds = { ...defaultNpzBounds, maxBytes: 2 ** 22 };
  const list = `](${"N".repeat(1000)}e`;
  const dtype = "cnumpy\ndtype\nX\x02\x00\x00\x00f8\x85R";
  const bytes = `C\xf8${"\0".repeat(248)}`;
  /** name -> one copy, made again by `times` of a few bytes each */
  const copies: Record<string, string> = {
    set: `${list}q\x00${"0c__builtin__\nset\nh\x00\x85R".repeat(2000)}`,
    frombuffer: `${bytes}q\x000${dtype}q\x010K\x1f\x85q\x02${"0cnumpy.core.numeric\n_frombuffer\n(h\x00h\x01h\x02X\x01\x00\x00\x00CtR".repeat(30_000)}`,
    encode: `X\xe8\x03\x00\x00${"x".repeat(1000)}q\x00X\x06\x00\x00\x00latin1q\x01${"0c_codecs\nencode\nh\x00h\x01\x86R".repeat(3000)}`,
  };

  for (const [name, body] of Object.entries(copies)) {
    test(`${name}, over and over`, (t) => {
      const file = zipOf("a.npy", objectNpy(Buffer.from(`\x80\x03${body}.`, "latin1")));
      assert.ok(file.length < 10_000, `a small file: ${file.length} bytes`);
      assert.throws(() => read(t, file, bounds), { code: "ERR_NPZ_TOO_LARGE", message: /values of at most 4194304/ });
    });
  }

  test("control: a few copies are read", (t) => {
    const few = "\x80\x03](NNeq\x000c__builtin__\nset\nh\x00\x85R.";
    assert.throws(() => read(t, zipOf("a.npy", objectNpy(Buffer.from(few, "latin1")))), /expected an object array/);
    assert.deepEqual(read(t, zipOf("a.npy", emptyNpy("<U0", "3,"))).get("a")!.values, ["", "", ""]);
  });

  test("any number of texts of no length", (t) => {
    const file = zipOf("a.npy", emptyNpy("<U0", "2000000000,"));
    assert.throws(() => read(t, file), { code: "ERR_NPZ_TOO_LARGE" });
  });

  test("a mark inside a value, depth where a name, a size or an order belongs", (t) => {
    const deep = `${"]".repeat(20_000)}${"a".repeat(19_999)}`;
    const cases = [
      "(\x85.",
      "](a.",
      "}(Ns.",
      `${deep}\x93.`,
      `N${deep}\x93.`,
      `${dtype}(K\x03${deep}tb.`,
      `${bytes}${dtype}q\x010cnumpy.core.numeric\n_frombuffer\n(C\x00h\x01${deep}X\x01\x00\x00\x00CtR.`,
    ];
    for (const [i, body] of cases.entries()) {
      const file = zipOf("a.npy", objectNpy(Buffer.from(`\x80\x03${body}`, "latin1")));
      assert.throws(() => read(t, file), { code: "ERR_NPZ_UNREADABLE" }, `case ${i}`);
    }
  });
});

describe("damage is reported with the file", () => {
  test("every prefix of a good file", (t) => {
    const whole = fixture("labels");
    for (let length = 0; length < whole.length; length += 7) {
      assert.throws(() => read(t, whole.subarray(0, length)), { code: "ERR_NPZ_UNREADABLE", message: /x\.npz/ });
    }
  });

  test("flipped bytes never give a crash of ours", (t) => {
    const whole = fixture("mixed");
    let numRefused = 0;
    for (let at = 0; at < whole.length; at += 11) {
      const bytes = Buffer.from(whole);
      bytes[at] = bytes[at]! ^ 0x5a;
      try {
        read(t, bytes);
      } catch (error) {
        assert.match((error as { code: string }).code, /^ERR_NPZ_/);
        numRefused++;
      }
    }
    assert.ok(numRefused > 50, `${numRefused} of the damaged files were noticed`);
  });

  test("garbage pickles inside a valid zip", (t) => {
    const pickles = [
      "",
      "\x80\x03",
      "\x80\x09N.",
      "\x80\x03.",
      "\x80\x03Na.",
      "\x80\x03h\x05.",
      "\x80\x03Nb.",
      "\x80\x03e.",
      "\x80\x03Nu.",
    ];
    for (const pickle of pickles) {
      assert.throws(() => read(t, zipOf("a.npy", objectNpy(Buffer.from(pickle, "latin1")))), /x\.npz:a\.npy/, pickle);
    }
  });

  test("wrong checksum, unknown compression, not an array, a shape that does not fit", (t) => {
    const good = objectNpy(Buffer.from("\x80\x03N.", "latin1"));
    assert.throws(() => read(t, zipOf("a.npy", good, { crc: 1 })), /checksum/);
    assert.throws(() => read(t, zipOf("a.npy", good, { method: 99 })), /compression method 99/);
    assert.throws(() => read(t, zipOf("a.npy", Buffer.from("hello, world"))), /expected a NumPy array/);
    const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (9999999,), }\n";
    const lying = Buffer.concat([
      Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length, 0]),
      Buffer.from(header),
      Buffer.alloc(8),
    ]);
    assert.throws(() => read(t, zipOf("a.npy", lying)), /79999992 bytes/);
  });
});
