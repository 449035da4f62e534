// What we save, transformers loads: no missing or unexpected key, and the same numbers. Needs a Python with transformers
// (and peft, for adapters apart): --python PATH, or OPPO_PYTHON, or python3; says so and ends well where there is none.
// Usage: npm run parity -- [--python PATH] [--json]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findTransformers, PythonPeer } from "../../speed/support/python-peer.ts";
import { loadThinker } from "../../src/models/qwen-omni/load.ts";
import { openSafetensors, scope, torchVersion } from "../../src/tensor/index.ts";
import { goldenThinker, type Probe, textModels, thinkers } from "./models.ts";

/** Of the largest value; float32. */
const tolerance = 2e-5;
/** Mean relative difference of bfloat16 builds (qwen-omni.md 9: 2 %). */
const halfTolerance = 0.02;
const mistake = 100 * tolerance;

const root = fileURLToPath(new URL("../../../..", import.meta.url));

interface Loaded {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly mismatched: readonly string[];
  readonly dtype: string;
  readonly parameters: number;
}

interface Outcome extends Loaded {
  readonly name: string;
  readonly difference: number;
  /** Of the untrained model: what the comparison would show if the saved weights were not the trained ones. */
  readonly control: number;
  readonly isEqual: boolean;
}

function largestDifference(got: Float32Array, want: Float32Array): number {
  let worst = 0;
  let scale = 0;
  for (let i = 0; i < want.length; i++) {
    worst = Math.max(worst, Math.abs(got[i]! - want[i]!));
    scale = Math.max(scale, Math.abs(want[i]!));
  }
  return worst / scale;
}

function meanDifference(got: Float32Array, want: Float32Array): number {
  let sum = 0;
  let scale = 0;
  for (let i = 0; i < want.length; i++) {
    sum += Math.abs(got[i]! - want[i]!);
    scale += Math.abs(want[i]!);
  }
  return sum / scale;
}

async function compare(peer: PythonPeer, probes: readonly Probe[], folder: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const output = join(folder, "answer.safetensors");
  let loaded: Loaded | null = null;
  let last = "";
  for (const { name, kind, directory, adapter, inputs, inside, expected, untrained } of probes) {
    const place = `${directory} ${adapter ?? ""}`;
    if (place !== last) loaded = await peer.ask<Loaded>({ do: "load", kind, directory, adapter });
    last = place;
    await peer.ask({ do: "run", inputs, inside, output });
    const theirs = scope(() => {
      using file = openSafetensors(output);
      return file.tensor("rows").toFloat32Array();
    });
    const isHalf = loaded!.dtype === "bfloat16";
    const measure = isHalf ? meanDifference : largestDifference;
    const difference = theirs.length === expected.length ? measure(theirs, expected) : Number.NaN;
    const control = measure(theirs, untrained);
    const { missing, unexpected, mismatched } = loaded!;
    const isStrict = missing.length + unexpected.length + mismatched.length === 0;
    const isEqual = isStrict && difference < (isHalf ? halfTolerance : tolerance) && control > mistake;
    outcomes.push({ name, ...loaded!, difference, control, isEqual });
  }
  return outcomes;
}

/** Ids of a chat by their tokenizer and template, read from the folder that we saved. */
async function sameTokens(peer: PythonPeer, directory: string): Promise<boolean> {
  const words = "what does the person feel, and why?";
  const messages = [
    { role: "user", content: words },
    { role: "assistant", content: "<think>the video shows a furrowed brow.</think><answer>sad</answer>" },
    { role: "user", content: "hello" },
  ];
  using model = loadThinker(directory);
  const turns = messages.map(({ role, content }) => {
    return { role: role as "user" | "assistant", parts: [{ type: "text" as const, text: content }] };
  });
  const { ids } = await peer.ask<{ ids: number[] }>({ do: "tokenize", directory, messages });
  return ids.join() === model.chatTokens(turns).ids.join();
}

function line({ name, missing, unexpected, mismatched, dtype, difference, control, isEqual }: Outcome): string {
  const keys = `missing ${missing.length}, unexpected ${unexpected.length}, misshapen ${mismatched.length}`;
  const listed = [...missing, ...unexpected, ...mismatched].slice(0, 3).join(" ");
  const numbers = `differs by ${difference.toExponential(1)} (untrained ${control.toExponential(1)})`;
  return `${isEqual ? "same  " : "DIFFERS"} ${name.padEnd(38)} ${dtype}; ${keys}; ${numbers} ${listed}`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { python: { type: "string" }, json: { type: "boolean", default: false } } });
  const found = findTransformers(values.python);
  if ("tried" in found) {
    const text = `no Python with torch and transformers (tried ${found.tried.join(", ")})`;
    console.log(
      values.json ? JSON.stringify({ skipped: text }) : `parity: skipped, ${text}. Give --python or OPPO_PYTHON.`,
    );
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "oppo-parity-"));
  const peer = new PythonPeer(found.python, join(root, "test/parity/peer.py"));
  try {
    const { probes, directory } = thinkers(folder);
    const kept = found.peft === "none" ? probes.filter(({ adapter }) => adapter === undefined) : probes;
    const outcomes = await compare(peer, [...kept, ...goldenThinker(folder), ...textModels(folder)], folder);
    const isTokenized = await sameTokens(peer, directory);
    const isEqual = isTokenized && outcomes.every((outcome) => outcome.isEqual);
    const { torch, transformers, peft } = found;
    if (values.json) {
      const versions = { libtorch: torchVersion(), torch, transformers, peft };
      console.log(JSON.stringify({ versions, outcomes, isTokenized, isEqual }, null, 2));
    } else {
      console.log(`libtorch ${torchVersion()} against transformers ${transformers}, torch ${torch}, peft ${peft}`);
      for (const outcome of outcomes) console.log(line(outcome));
      console.log(`${isTokenized ? "same  " : "DIFFERS"} tokenizer and chat template`);
      if (kept.length < probes.length) console.log("adapters apart were left out: peft is absent");
    }
    if (!isEqual) process.exitCode = 1;
  } finally {
    peer.close();
    rmSync(folder, { recursive: true });
  }
}

await main();
