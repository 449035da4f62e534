// Malformed files by a seed: a valid one with some of its bytes, characters or values changed. The same seed and number give
// the same file on every machine.
import type { Random } from "../src/random.ts";

const extremes = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];
const fragments = [
  "",
  " ",
  "\n",
  "\u0000",
  "\ufeff",
  '"',
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "-",
  "&a ",
  "*a",
  "!!x ",
  "../../x",
  "NaN",
  "1e999",
  "-1",
  "99999999999",
  "{{",
  "{%",
  "<b>",
  "-->",
  "x".repeat(3000),
];
const values: readonly unknown[] = [
  -1,
  0,
  1,
  3.5,
  2 ** 31,
  2 ** 53,
  1e9,
  1e300,
  null,
  true,
  "",
  "x",
  "__proto__",
  "../x",
  "\u0000",
  "(a+)+$",
  [],
  {},
  [[]],
  [0],
  [null],
  { a: 1 },
];

export type Mutation = (seed: Buffer, random: Random) => Buffer;

function pick<T>(items: readonly T[], random: Random): T {
  return items[random.int(items.length)]!;
}

/** One to eight changes: bits, extreme numbers, runs taken out, doubled, moved or zeroed, the end cut off. */
export const bytes: Mutation = (seed, random) => {
  let data: Buffer = Buffer.from(seed);
  for (let left = 1 + random.int(8); left > 0 && data.length > 0; left--) data = changeBytes(data, random);
  return data;
};

function changeBytes(data: Buffer, random: Random): Buffer {
  // Headers decide most: half of the changes are near the beginning.
  const at = random.next() < 0.5 ? random.int(Math.min(data.length, 512)) : random.int(data.length);
  const end = Math.min(data.length, at + 1 + random.int(64));
  const kind = random.int(8);
  if (kind <= 1) data[at] = data[at]! ^ (1 << random.int(8));
  else if (kind === 2) data[at] = random.int(256);
  else if (kind === 3 && at + 4 <= data.length) {
    const number = pick(extremes, random);
    if (random.next() < 0.5) data.writeUInt32BE(number, at);
    else data.writeUInt32LE(number, at);
  } else if (kind === 4) return Buffer.concat([data.subarray(0, at), data.subarray(end)]);
  else if (kind === 5) return Buffer.concat([data.subarray(0, end), data.subarray(at)]);
  else if (kind === 6) data.fill(0, at, end);
  else if (kind === 7 && random.next() < 0.5) return data.subarray(0, at);
  return data;
}

/** One to four changes of a text: pieces taken out, doubled, put in; lines moved. */
export const text: Mutation = (seed, random) => {
  let source = seed.toString("utf8");
  for (let left = 1 + random.int(4); left > 0; left--) {
    const at = random.int(source.length + 1);
    const end = Math.min(source.length, at + random.int(40));
    const kind = random.int(5);
    if (kind === 0) source = source.slice(0, at) + source.slice(end);
    else if (kind === 1) source = source.slice(0, end) + source.slice(at);
    else if (kind <= 3) source = source.slice(0, at) + pick(fragments, random) + source.slice(at);
    else
      source = source
        .split("\n")
        .sort(() => random.next() - 0.5)
        .join("\n");
  }
  return random.next() < 0.1 ? bytes(Buffer.from(source), random) : Buffer.from(source);
};

/** A JSON tree with a value replaced, removed or added; now and then a changed text. */
export const json: Mutation = (seed, random) => {
  if (random.next() < 0.2) return text(seed, random);
  let tree: unknown = JSON.parse(seed.toString("utf8"));
  for (let left = 1 + random.int(3); left > 0; left--) tree = changeTree(tree, random);
  return Buffer.from(JSON.stringify(tree) ?? "null");
};

function changeTree(node: unknown, random: Random): unknown {
  if (typeof node !== "object" || node === null || random.next() < 0.1) return pick(values, random);
  // Vocabularies are long; what is at their beginning stands for the rest.
  const most = 60;
  if (Array.isArray(node)) {
    if (node.length === 0) return [pick(values, random)];
    const at = random.int(Math.min(node.length, most));
    return node.map((item, i) => (i === at ? changeTree(item, random) : item));
  }
  const keys = Object.keys(node);
  const key = keys[random.int(Math.min(keys.length, most))];
  if (key === undefined) return pick(values, random);
  const { [key]: value, ...rest } = node as Record<string, unknown>;
  return random.next() < 0.15 ? rest : { ...node, [key]: changeTree(value, random) };
}
