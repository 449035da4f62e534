// A model directory of a published shape whose weight file is all hole: headers and lengths are real, the disk is not used.
import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { buildTheatreTokenizer } from "../../src/data/theatre/tokenizer.ts";
import { numElements } from "../../src/models/checkpoint/parameter-spec.ts";
import { parseConfig } from "../../src/models/qwen-omni/config/config.ts";
import { publishedConfig } from "../../src/models/qwen-omni/config/config-json.ts";
import { parameterSpecs } from "../../src/models/qwen-omni/parameters.ts";

const bytesPerNumber = 2; // bfloat16

export type Entry = { dtype: string; shape: readonly number[]; data_offsets: [number, number] };

/** Bytes of a safetensors header. */
export function headerBytes(entries: Readonly<Record<string, unknown>>): Buffer {
  const text = JSON.stringify(entries);
  // Padded as Hugging Face's writers do, so that tensors lie aligned.
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json]);
}

/** Entries of bfloat16 weights one after another, and the bytes that they take. */
export function layOut(shapes: readonly (readonly [name: string, shape: readonly number[]])[]): {
  entries: Record<string, Entry>;
  numBytes: number;
} {
  let numBytes = 0;
  const entries: Record<string, Entry> = {};
  for (const [name, shape] of shapes) {
    const end = numBytes + numElements(shape) * bytesPerNumber;
    entries[name] = { dtype: "BF16", shape, data_offsets: [numBytes, end] };
    numBytes = end;
  }
  return { entries, numBytes };
}

export function writeSparse(path: string, shapes: Parameters<typeof layOut>[0]): void {
  const { entries, numBytes } = layOut(shapes);
  const header = headerBytes(entries);
  const file = openSync(path, "w");
  writeSync(file, header);
  ftruncateSync(file, header.length + numBytes);
  closeSync(file);
}

/** The 3B thinker in one file of zeros. */
export function writeSparseThinker(directory: string): void {
  const names = new Map<string, number>();
  const idOf = (token: string) => names.get(token) ?? names.set(token, names.size).size - 1;
  const json = publishedConfig("3b", idOf);
  const specs = parameterSpecs(parseConfig(json, directory));
  writeSparse(
    join(directory, "model.safetensors"),
    specs.map(({ name, shape }) => [`thinker.${name}`, shape]),
  );
  writeFileSync(join(directory, "config.json"), JSON.stringify(json));
  const { tokenizerJson, tokenizerConfig, chatTemplate } = buildTheatreTokenizer();
  writeFileSync(join(directory, "tokenizer.json"), JSON.stringify(tokenizerJson));
  writeFileSync(join(directory, "tokenizer_config.json"), JSON.stringify(tokenizerConfig));
  writeFileSync(join(directory, "chat_template.jinja"), chatTemplate);
}
