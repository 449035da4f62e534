// What a streamed corpus takes: many rows of a few files of 4 s at 336 x 336, each row decoded, a very small model, and every row
// shown once. Prints the resident size of this process, and of it with its decoders, above what it was with the model loaded.
// Usage: npm run bench:stream -- [--clips 2000] [--workers 2] [--prompts 20] [--json]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClipLibrary } from "../src/corpus/clips/clip-library.ts";
import { clipSettings } from "../src/corpus/clips/clip-settings.ts";
import { openClips } from "../src/corpus/clips/open-clips.ts";
import { theatreKind } from "../src/corpus/theatre-kind.ts";
import { loadSamples } from "../src/data/jsonl.ts";
import type { Sample } from "../src/data/sample.ts";
import { buildCorpus } from "../src/data/theatre/corpus.ts";
import { defaultClipFormat } from "../src/data/theatre/plan.ts";
import { reasoningQuestion } from "../src/data/theatre/script.ts";
import { buildTheatreTokenizer } from "../src/data/theatre/tokenizer.ts";
import { initTiny } from "../src/models/qwen-omni/init.ts";
import { resolveConfig } from "../src/run/config.ts";
import { listenForInterrupt } from "../src/run/interrupt.ts";
import { createProgress } from "../src/run/progress.ts";
import { batchOf } from "../src/train/batches.ts";
import { trainSchema } from "../src/train/config.ts";
import { trainGrpo } from "../src/train/grpo.ts";
import { openPolicy } from "../src/train/policy.ts";
import { presets } from "../src/train/presets.ts";
import { readOptions } from "./support/options.ts";
import { peakBytes, resetPeak, residentBytes, residentBytesBelow } from "./support/resident.ts";

const numFiles = 20;
/** What is promised, above the model. */
const promisedBytes = 1e9;
const side = 336;
const seconds = 4;

const given = readOptions("bench:stream", "The resident size of a streamed corpus.", {
  clips: { help: "rows, each decoded once", value: "count", default: "2000" },
  workers: { help: "processes that decode", value: "count", default: "2" },
  prompts: { help: "rows of a step", value: "count", default: "20" },
});
const options = {
  ...{ clips: Number(given.clips), workers: Number(given.workers), prompts: Number(given.prompts), json: given.json },
};
const root = mkdtempSync(join(tmpdir(), "oppo-stream-"));
try {
  const measured = await measure();
  if (options.json) console.log(JSON.stringify(measured));
  else {
    const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
    console.log(
      `${options.clips} clips in ${measured.steps} steps of ${options.prompts}, ${measured.seconds.toFixed(0)} s`,
    );
    console.log(`decoded, they would take   ${megabytes(measured.corpusBytes)}`);
    console.log(`resident with the model    ${megabytes(measured.modelBytes)}`);
    console.log(
      `most above it              ${megabytes(measured.aboveModelBytes)} (promised ${megabytes(promisedBytes)})`,
    );
    console.log(`between steps, by quarters ${measured.quarters.map(megabytes).join(" first, ")} last`);
    console.log(`the decoders beside it     ${megabytes(measured.decoderBytes)}`);
    console.log(`waited for clips           ${measured.waitSeconds.toFixed(1)} s`);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}

async function measure() {
  const format = { ...defaultClipFormat, size: side, seconds, preset: "ultrafast" } as const;
  await buildCorpus(join(root, "corpus"), {
    seed: 4,
    splits: [{ name: "clips", kind: "train", numClips: numFiles }],
    format,
  });
  const file = join(root, "corpus", "clips.jsonl");
  const { samples: rendered } = await loadSamples(file);
  const samples = Array.from(
    { length: options.clips },
    (_, i): Sample => ({ ...rendered[i % numFiles]!, id: `row-${i}` }),
  );
  const directory = join(root, "model");
  makeModel(directory);
  const steps = Math.ceil(options.clips / options.prompts);
  const config = resolveConfig(trainSchema, {
    preset: presets.oppo.config,
    overrides: [
      `promptsPerStep=${options.prompts}`,
      "groupSize=2",
      "maxNewTokens=8",
      `steps=${steps}`,
      "checkpointEvery=100000",
    ],
  });
  using models = await openPolicy({ ...config, model: directory });
  using library = new ClipLibrary(models.reference);
  using interrupt = listenForInterrupt();
  using progress = createProgress();
  const modelBytes = residentBytes(process.pid);
  resetPeak();
  const own: number[] = [];
  let decoderBytes = 0;
  const look = (): void => {
    own.push(residentBytes(process.pid) - modelBytes);
    decoderBytes = Math.max(decoderBytes, residentBytesBelow(process.pid));
  };
  let corpusBytes = 0;
  let waitSeconds = 0;
  const start = performance.now();
  using clips = await openClips(
    library,
    {
      ...{ items: samples, clipsOf: (sample: Sample) => [sample], steps },
      batchAt: (step) => batchOf(samples, config.promptsPerStep, config.seed, step),
    },
    {
      settings: clipSettings.parse({ mode: "stream", workers: options.workers }),
      ...{ file, maxSkippedFraction: 0, progress, interrupt },
    },
  );
  const run = join(root, "run");
  await trainGrpo(
    {
      ...{ config, models, library, samples, clips },
      promptText: (sample) => theatreKind.userTurn(sample.subtitle, reasoningQuestion),
      embedder: theatreKind.embedder(),
      emotionScore: theatreKind.emotion.score,
    },
    {
      ...{ directory: run, interrupt },
      onStep: (_, metrics) => {
        look();
        corpusBytes += library.numBytes;
        waitSeconds += metrics["timing_s/wait_clips"]!;
      },
    },
  );
  const quarter = Math.floor(own.length / 4);
  const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), 0);
  return {
    ...{ steps, modelBytes, corpusBytes, decoderBytes, waitSeconds, seconds: (performance.now() - start) / 1000 },
    aboveModelBytes: peakBytes() - modelBytes,
    quarters: [most(own.slice(0, quarter)), most(own.slice(-quarter))],
  };
}

/** The theatre's tiny model, which looks at videos in the range of the published ones. */
function makeModel(directory: string): void {
  const small = { depth: 1, hidden_size: 32, num_heads: 2, intermediate_size: 64, fullatt_block_indexes: [0] };
  initTiny(directory, buildTheatreTokenizer(), 1, {
    text_config: {
      ...{
        hidden_size: 64,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        num_key_value_heads: 1,
        intermediate_size: 128,
      },
    },
    vision_config: small,
    audio_config: { d_model: 32, encoder_layers: 1, encoder_attention_heads: 2, encoder_ffn_dim: 64 },
    video: { min_pixels: side * side, max_pixels: side * side },
  });
}
