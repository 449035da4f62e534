// The formats that we read from others: a few valid files of each, how they are changed, and the reader that must either
// read a changed one or refuse it with a code. Readers get a path; a folder of their own is around it.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createCanvas } from "@napi-rs/canvas";
import { loadSamples } from "../src/data/jsonl.ts";
import { readSpreadsheet } from "../src/data/lexicon/spreadsheet.ts";
import { readNpz } from "../src/data/numpy/npz.ts";
import { readPredictions } from "../src/data/scoring/predictions.ts";
import { buildTheatreTokenizer } from "../src/data/theatre/tokenizer.ts";
import { OppoError } from "../src/error.ts";
import { decodeClip } from "../src/media/decode.ts";
import { decodeImage } from "../src/media/decode-image.ts";
import { encodeClip } from "../src/media/encode/encode.ts";
import { wavBytes } from "../src/media/encode/wav.ts";
import { parseLoraConfig } from "../src/models/lora/config.ts";
import { targetModules } from "../src/models/lora/targets.ts";
import { initTiny } from "../src/models/qwen-omni/init.ts";
import { loadModel } from "../src/models/registry.ts";
import { resolveConfig } from "../src/run/config.ts";
import { readChatCall } from "../src/serve/model/chat-call.ts";
import type { Corpus } from "../src/serve/reward/reference.ts";
import { readColumns, readNative, readOpenRlhf, readVerl } from "../src/serve/reward/request-shapes.ts";
import { openSafetensors, scope } from "../src/tensor/index.ts";
import { createChatTemplate } from "../src/text/chat-template.ts";
import { subtitleText } from "../src/text/subtitles.ts";
import { loadTokenizer } from "../src/text/tokenizer.ts";
import { trainSchema } from "../src/train/config.ts";
import { labelArchives } from "../test/support/label-archives.ts";
import { gifFile } from "../test/support/odd-media.ts";
import { verySmall } from "../test/support/very-small.ts";
import { spreadsheetOf } from "../test/support/zip.ts";
import { bytes, json, type Mutation, text } from "./mutate.ts";

export interface Format {
  readonly seeds: (folder: string) => Promise<readonly Buffer[]> | readonly Buffer[];
  readonly mutation: Mutation;
  /** File name of a changed one. */
  readonly file: string;
  readonly read: (path: string) => unknown;
  /** Puts what the reader needs beside the file. */
  readonly prepare?: (folder: string) => void;
}

const clip = (path: string) => decodeClip(path, {});
const picture = (path: string) => decodeImage(path);
const lines = (rows: readonly unknown[]) => Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
const plain = (value: unknown) => [Buffer.from(JSON.stringify(value, null, 1))];
const sine = Float32Array.from({ length: 4000 }, (_, i) => 0.3 * Math.sin(i / 9));

function drawn(kind: "png" | "jpeg" | "webp") {
  const canvas = createCanvas(24, 16);
  const context = canvas.getContext("2d");
  context.fillStyle = "teal";
  context.fillRect(3, 3, 12, 9);
  return [kind === "png" ? canvas.toBuffer("image/png") : canvas.toBuffer(`image/${kind}` as "image/jpeg", 80)];
}

/** 24 bits a pixel. */
function bmp(width: number, height: number): Buffer {
  const rowBytes = (3 * width + 3) & ~3;
  const file = Buffer.alloc(54 + rowBytes * height, 0x5a);
  file.fill(0, 0, 54);
  file.write("BM", 0);
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  return file;
}

/** Silent frames of MPEG-1 layer III, 128 kbit/s, 44.1 kHz. */
function mp3(numFrames: number): Buffer {
  const frame = Buffer.alloc(417);
  frame.writeUInt32BE(0xfffb9000, 0);
  return Buffer.concat(Array.from({ length: numFrames }, () => frame));
}

async function mp4(folder: string): Promise<Buffer[]> {
  const path = join(folder, "seed.mp4");
  const frames = Array.from({ length: 4 }, (_, i) => new Uint8Array(64 * 64 * 3).fill(i * 40));
  await encodeClip(path, { width: 64, height: 64, fps: 25, frames, waveform: sine, sampleRateHz: 16000 });
  const data = readFileSync(path);
  rmSync(path);
  return [data];
}

function withHeader(header: string, data: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header), data]);
}

const tensors = withHeader(
  '{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]}}',
  Buffer.alloc(32, 1),
);

const adapter = {
  peft_type: "LORA",
  r: 4,
  lora_alpha: 8,
  target_modules: "model.layers.*(q|v)_proj",
  bias: "none",
  exclude_modules: ["o_proj"],
  rank_pattern: { q_proj: 2 },
};
/** Layers can be named beside a list of modules only. */
const adapterOfLayers = { ...adapter, target_modules: ["q_proj", "v_proj"], layers_to_transform: [0] };
const layerNames = ["q", "k", "v", "o"].map((name) => `model.layers.0.self_attn.${name}_proj`);

/** The settings of a very small model beside its weights, one of them changed. */
function modelFile(file: string): Format {
  return {
    seeds: (folder) => {
      initTiny(join(folder, "seed"), buildTheatreTokenizer(), 1, verySmall);
      return [readFileSync(join(folder, "seed", file))];
    },
    prepare: (folder) => {
      for (const name of readdirSync(join(folder, "seed")))
        copyFileSync(join(folder, "seed", name), join(folder, name));
    },
    mutation: json,
    file,
    read: async (path) => {
      if (file === "tokenizer.json") loadTokenizer(dirname(path)).encode("a smile <|im_end|>");
      else (await loadModel(dirname(path)))[Symbol.dispose]();
    },
  };
}

const bodyReaders = [readNative, readColumns, readVerl, readOpenRlhf];
const corpus: Corpus = new Map([["clip-1", { cues: [{ kind: "video", text: "a smile" }], labels: ["happy"] }]]);
const cues = { video: ["a smile"] };
const spoken = "<think>a smile</think><answer>happy</answer>";
const bodies = [
  {
    items: [
      { completion: spoken, cues, labels: ["happy"] },
      { completion: spoken, sample: "clip-1" },
    ],
  },
  {
    completions: [spoken, [{ role: "assistant", content: spoken }]],
    sample_id: ["clip-1", null],
    cues: [null, cues],
    labels: [null, ["happy"]],
  },
  { solution_str: spoken, ground_truth: "happy", extra_info: { cues, truncated: false } },
  { query: [`ask ${spoken}`], prompts: ["ask "], labels: ["clip-1"] },
];
const chat = {
  model: "m",
  messages: [
    { role: "system", content: "be brief" },
    {
      role: "user",
      content: [
        { type: "video_url", video_url: { url: "data:video/mp4;base64,AA" } },
        { type: "text", text: "?" },
      ],
    },
  ],
  max_tokens: 9,
  n: 2,
  stop: ["x"],
  seed: 4,
};
const chatLimits = {
  modelName: "m",
  maxContext: 1000,
  maxNewTokens: 100,
  defaultNewTokens: 50,
  maxSamples: 4,
  maxTextBytes: 1_000_000,
  isAdapter: () => false,
  tellsProcessed: false,
};

/** A body that is no JSON never reaches these readers. */
function bodyOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

const template =
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
const turns = [{ role: "user", content: "hello" }] as const;
const subtitle =
  "1\n00:00:00,000 --> 00:00:02,500\nWhy would you <i>say</i> that?\n\n2\n00:00:03,000 --> 00:00:04,000\n{\\an8}Stop.\n";

export const formats: Readonly<Record<string, Format>> = {
  wav: { seeds: () => [Buffer.from(wavBytes(sine, 16000))], mutation: bytes, file: "x.wav", read: clip },
  mp3: { seeds: () => [mp3(12)], mutation: bytes, file: "x.mp3", read: clip },
  mp4: { seeds: mp4, mutation: bytes, file: "x.mp4", read: clip },
  png: { seeds: () => drawn("png"), mutation: bytes, file: "x.png", read: picture },
  jpg: { seeds: () => drawn("jpeg"), mutation: bytes, file: "x.jpg", read: picture },
  gif: { seeds: () => [gifFile(20, 16, [3, 90])], mutation: bytes, file: "x.gif", read: picture },
  bmp: { seeds: () => [bmp(17, 9)], mutation: bytes, file: "x.bmp", read: picture },
  webp: { seeds: () => drawn("webp"), mutation: bytes, file: "x.webp", read: picture },
  npz: {
    seeds: () => Object.values(labelArchives).map((data) => Buffer.from(data, "base64")),
    mutation: bytes,
    file: "x.npz",
    read: (path) => readNpz(path),
  },
  xlsx: {
    seeds: () => [
      spreadsheetOf([
        ["a", "b"],
        ["joy", "happy"],
        ["", "glad"],
      ]),
    ],
    mutation: bytes,
    file: "x.xlsx",
    read: readSpreadsheet,
  },
  csv: {
    seeds: () => [Buffer.from('name,openset\nclip_1,"happy, glad"\nclip_2,angry\n')],
    mutation: text,
    file: "x.csv",
    read: (path) => readPredictions(path),
  },
  jsonl: {
    seeds: () => [
      lines(
        [1, 2].map((i) => ({
          id: `c${i}`,
          media: `clips/${i}.mp4`,
          labels: ["happy"],
          cues: [{ kind: "video", text: "a smile" }],
        })),
      ),
    ],
    mutation: text,
    file: "x.jsonl",
    read: (path) => loadSamples(path),
  },
  safetensors: {
    seeds: () => [tensors],
    mutation: bytes,
    file: "x.safetensors",
    read: (path) => {
      using file = openSafetensors(path);
      scope(() => {
        for (const name of file.entries.keys()) file.tensor(name);
      });
    },
  },
  "config.json": modelFile("config.json"),
  "adapter_config.json": {
    seeds: () => [...plain(adapter), ...plain(adapterOfLayers)],
    mutation: json,
    file: "adapter_config.json",
    read: (path) => targetModules(parseLoraConfig(bodyOf(path), path), layerNames, path),
  },
  "tokenizer.json": modelFile("tokenizer.json"),
  "chat template": {
    seeds: () => [Buffer.from(template)],
    mutation: text,
    file: "x.jinja",
    read: (path) => createChatTemplate(readFileSync(path, "utf8")).render(turns),
  },
  yaml: {
    seeds: () => [Buffer.from("steps: 3\nlearningRate: 1.0e-6\nreward:\n  similarityThreshold: 0.5\ngroupSize: 4\n")],
    mutation: text,
    file: "x.yaml",
    read: (path) => resolveConfig(trainSchema, { file: path, overrides: [] }),
  },
  srt: { seeds: () => [Buffer.from(subtitle)], mutation: text, file: "x.srt", read: subtitleText },
  vtt: {
    seeds: () => [Buffer.from(`WEBVTT\n\nSTYLE\n::cue { color: red }\n\n${subtitle.replaceAll(",", ".")}`)],
    mutation: text,
    file: "x.vtt",
    read: subtitleText,
  },
  predictions: {
    seeds: () => [lines([1, 2].map((i) => ({ name: `clip_${i}`, openset: ["happy", "glad"] })))],
    mutation: text,
    file: "p.jsonl",
    read: (path) => readPredictions(path),
  },
  "reward bodies": {
    seeds: () => bodies.map((body) => plain(body)[0]!),
    mutation: json,
    file: "body.json",
    read: (path) => {
      const body = bodyOf(path);
      const refusals: unknown[] = [];
      // Each shape has an address of its own: a body is refused that none of them reads.
      for (const read of bodyReaders) {
        try {
          read(body, corpus);
        } catch (error) {
          if (!isRefusal(error)) throw error;
          refusals.push(error);
        }
      }
      if (refusals.length === bodyReaders.length) throw refusals[0];
    },
  },
  "chat bodies": {
    seeds: () => plain(chat),
    mutation: json,
    file: "body.json",
    read: (path) => readChatCall(bodyOf(path), chatLimits, () => 1),
  },
};

/** Whether an error is one of ours: anything else would be told as a fault of the program. */
export function isRefusal(error: unknown): boolean {
  return error instanceof OppoError && error.code !== "ERR_INTERNAL";
}

/** Writes one changed file. @returns its path */
export function writeInput(folder: string, { file }: Format, data: Buffer): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, file);
  writeFileSync(path, data);
  return path;
}
