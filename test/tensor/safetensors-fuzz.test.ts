// Mutations of a valid safetensors file, by a seed: bytes, cuts, lengths, and the header's JSON. Whatever comes out is read
// or refused with a CheckpointError; what is read can be used; the process and its memory stay as they were.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createRandom, type Random } from "../../src/random.ts";
import {
  CheckpointError,
  numLiveTensors,
  op,
  openSafetensors,
  scope,
  writeSafetensors,
} from "../../src/tensor/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const numMutations = 4000;
const lengthBytes = 8;

/** What headers of an attacker hold. */
const nasty: readonly unknown[] = [
  ...[-1, 0, 1, 3.5, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 53 - 1, -(2 ** 53), 1e300, 1e-300, null, true, "", "F32", "BF16"],
  ...[
    "I64",
    "U8",
    "F8_E4M3",
    "../x",
    "\u0000",
    "__proto__",
    "constructor",
    [],
    {},
    [[]],
    [0],
    [0, 0],
    [1, 2, 3],
    [4, 0],
  ],
  ...[[-4, 0], [0, 2 ** 53], [2 ** 53 - 1, 2 ** 53 - 1], [2 ** 40, 2 ** 40], Array(200).fill(1), [0, 2 ** 53 - 1]],
  { dtype: "F32", shape: [0], data_offsets: [0, 0] },
  { dtype: "F32", shape: [2 ** 52, 0, 2 ** 52], data_offsets: [0, 0] },
  { dtype: "U8", shape: Array(2000).fill(1), data_offsets: [0, 1] },
];

function validFile(path: string): Buffer {
  scope(() => {
    const tensors = new Map([
      ["model.embed.weight", op.ones([6, 4])],
      ["model.norm.weight", op.zeros([4]).to("bfloat16")],
      ["model.empty", op.zeros([0, 3])],
      ["model.scalar", op.ones([]).to("int64")],
      ["model.flags", op.ones([5]).gt(0)],
    ]);
    writeSafetensors(path, tensors, { format: "pt" });
  });
  return readFileSync(path);
}

function withHeader(json: Buffer, data: Buffer, length = BigInt(json.length)): Buffer {
  const head = Buffer.alloc(lengthBytes);
  head.writeBigUInt64LE(BigInt.asUintN(64, length));
  return Buffer.concat([head, json, data]);
}

type Json = Record<string, unknown>;

/** Replaces, removes or adds a value somewhere in a JSON tree. */
function mutateJson(node: unknown, random: Random): unknown {
  if (typeof node !== "object" || node === null || random.next() < 0.15) return nasty[random.int(nasty.length)];
  if (Array.isArray(node)) {
    const copy = [...node];
    if (random.next() < 0.2) copy.splice(random.int(copy.length + 1), random.int(2), nasty[random.int(nasty.length)]);
    else if (copy.length > 0) {
      const at = random.int(copy.length);
      copy[at] = mutateJson(copy[at], random);
    }
    return copy;
  }
  const keys = Object.keys(node);
  const key = keys[random.int(keys.length)] ?? "x";
  const copy: Json = { ...(node as Json) };
  const kind = random.next();
  if (kind < 0.1) delete copy[key];
  else if (kind < 0.2) copy[`${key}x`] = copy[key];
  else copy[key] = mutateJson(copy[key], random);
  return copy;
}

const mutations: Readonly<Record<string, (valid: Buffer, random: Random) => Buffer>> = {
  bytes(valid, random) {
    const bytes = Buffer.from(valid);
    for (let i = 0; i < 1 + random.int(8); i++) bytes[random.int(bytes.length)] = random.int(256);
    return bytes;
  },
  "header bytes"(valid, random) {
    const bytes = Buffer.from(valid);
    const end = lengthBytes + Number(valid.readBigUInt64LE());
    const characters = '{}[]",:0123456789-eE\\u \n\xff';
    for (let i = 0; i < 1 + random.int(4); i++) {
      bytes[lengthBytes + random.int(end - lengthBytes)] = characters.charCodeAt(random.int(characters.length));
    }
    return bytes;
  },
  cut: (valid, random) => valid.subarray(0, random.int(valid.length)),
  longer: (valid, random) => Buffer.concat([valid, Buffer.alloc(1 + random.int(100), random.int(256))]),
  length(valid, random) {
    const bytes = Buffer.from(valid);
    const given = [0n, 1n, 2n, 7n, BigInt(valid.length), 2n ** 31n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n, 100_000_000n];
    const own = valid.readBigUInt64LE() + BigInt(random.int(17) - 8);
    bytes.writeBigUInt64LE(random.next() < 0.5 ? given[random.int(given.length)]! : BigInt.asUintN(64, own));
    return bytes;
  },
  json(valid, random) {
    const end = lengthBytes + Number(valid.readBigUInt64LE());
    let header: unknown = JSON.parse(valid.toString("utf8", lengthBytes, end));
    for (let i = 0; i < 1 + random.int(3); i++) header = mutateJson(header, random);
    return withHeader(Buffer.from(JSON.stringify(header) ?? "null"), valid.subarray(end));
  },
  spliced(valid, random) {
    const [a, b] = [random.int(valid.length), random.int(valid.length)];
    return Buffer.concat([valid.subarray(0, a), valid.subarray(Math.min(a, b), b), valid.subarray(a)]);
  },
};

/** Opens, and uses all that there is. @returns the error's code, or "read" */
function outcomeOf(path: string): string {
  try {
    using file = openSafetensors(path);
    for (const [name, { shape }] of file.entries) {
      scope(() => {
        const tensor = file.tensor(name);
        assert.deepEqual(tensor.shape, shape);
        if (tensor.numel > 0) tensor.to("float64").sum().item();
      });
    }
    return "read";
  } catch (error) {
    assert.ok(error instanceof CheckpointError, String(error));
    assert.ok(error.message.length < 1000, error.message.slice(0, 200));
    return error.code;
  }
}

test(`${numMutations} mutations are read or refused, and every kind of refusal occurs`, (t) => {
  const path = join(temporaryFolder(t), "x.safetensors");
  const valid = validFile(path);
  assert.equal(outcomeOf(path), "read");
  const names = Object.keys(mutations);
  const liveBefore = numLiveTensors();
  const memoryBefore = process.memoryUsage().rss;
  const outcomes = new Map<string, number>();
  for (let trial = 0; trial < numMutations; trial++) {
    const random = createRandom(trial);
    const name = names[trial % names.length]!;
    writeFileSync(path, mutations[name]!(valid, random));
    const outcome = outcomeOf(path);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  assert.equal(numLiveTensors(), liveBefore);
  assert.ok(process.memoryUsage().rss - memoryBefore < 200 * 2 ** 20, "no lie about a length is believed");
  for (const code of ["HEADER", "TRUNCATED", "DTYPE", "SHAPE", "OFFSETS", "SIZE", "LAYOUT"]) {
    assert.ok(outcomes.has(`ERR_CHECKPOINT_${code}`), `${code} in ${[...outcomes].join(" ")}`);
  }
  // Changes of data bytes and of names leave a valid file.
  assert.ok(outcomes.get("read")! > 0.02 * numMutations && outcomes.get("read")! < 0.5 * numMutations);
});

describe("headers made to hurt", () => {
  const one = '"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}';
  const depth = 200_000;
  const cases: readonly (readonly [name: string, json: string | Buffer, code: string])[] = [
    ["deep arrays", `{"x":${"[".repeat(depth)}${"]".repeat(depth)}}`, "HEADER"],
    ["deep objects", `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`, "DTYPE"],
    ["deep and open", "[".repeat(depth), "HEADER"],
    ["a doubled name", `{${one},${one}}`, "DUPLICATE"],
    [
      "a doubled name far apart",
      `{${one},"y":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},"\\u0078":1}`,
      "DUPLICATE",
    ],
    ["a doubled field", '{"x":{"dtype":"U8","shape":[9],"shape":[1],"data_offsets":[0,1]}}', "DUPLICATE"],
    [
      "a doubled name behind much space",
      `{${one},"x"${" ".repeat(100)}:{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}`,
      "DUPLICATE",
    ],
    ["doubled metadata", `{"__metadata__":{"a":"1"},"__metadata__":{},${one}}`, "DUPLICATE"],
    ["space before it", ` {${one}}`, "HEADER"],
    ["a byte order mark", `\ufeff{${one}}`, "HEADER"],
    ["half a surrogate's UTF-8", Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]), "HEADER"],
    ["a very long name", `{"${"n".repeat(1_000_000)}":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}}`, "HEADER"],
    ["too many axes", `{"x":{"dtype":"U8","shape":[${Array(100).fill(1)}],"data_offsets":[0,1]}}`, "SHAPE"],
    [
      "empty with giant axes",
      '{"x":{"dtype":"U8","shape":[4503599627370496,4503599627370496,0],"data_offsets":[0,0]}}',
      "SHAPE",
    ],
  ];
  for (const [name, json, code] of cases) {
    test(name, (t) => {
      const path = join(temporaryFolder(t), "x.safetensors");
      writeFileSync(path, withHeader(Buffer.from(json), Buffer.alloc(1)));
      assert.equal(outcomeOf(path), `ERR_CHECKPOINT_${code}`);
    });
  }
});
