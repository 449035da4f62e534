// The commands about models, seen from the outside: init, inspect, infer, and what bad input is told.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createCanvas } from "@napi-rs/canvas";
import { encodeClip } from "../../src/media/encode/encode.ts";
import { addAdapter } from "../../src/models/adapt.ts";
import { defaultLora } from "../../src/models/lora/config.ts";
import { loadModel } from "../../src/models/registry.ts";
import { wavFile } from "../support/odd-media.ts";
import { repositoryRoot } from "../support/repository.ts";
import { type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");

let theatre: SmallTheatre;
let model: string;
let clips: string[];

before(async () => {
  theatre = await smallTheatre(2);
  model = theatre.freshModel(1);
  clips = theatre.samples.map(({ media }) => join(theatre.corpus, media));
});
after(() => theatre[Symbol.dispose]());

function oppo(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: "utf8",
    cwd: theatre.root,
  });
  return { status, stdout, stderr };
}

describe("oppo init and oppo inspect", () => {
  test("a random tiny model is whole, the same for the same seed, and not written over anything", () => {
    const made = oppo("init", "--arch", "tiny", "--random", "tiny", "--seed", "3", "--json");
    assert.equal(made.status, 0, made.stderr);
    const { numParameters, bytes } = JSON.parse(made.stdout);
    assert.equal(bytes, 4 * numParameters);
    oppo("init", "--arch", "tiny", "--random", "again", "--seed", "3");
    oppo("init", "--arch", "tiny", "--random", "other", "--seed", "4");
    const weights = (name: string) => readFileSync(join(theatre.root, name, "model.safetensors"));
    assert.ok(weights("tiny").equals(weights("again")));
    assert.ok(!weights("tiny").equals(weights("other")));
    const seen = oppo("inspect", "tiny");
    assert.equal(seen.status, 0, seen.stderr);
    assert.match(seen.stdout, /^model +Qwen2\.5-Omni thinker \(qwen2_5_omni_thinker\)\n/);
    assert.match(seen.stdout, new RegExp(`parameters +${numParameters.toLocaleString("en-US")} in \\d+ tensors`));
    assert.match(seen.stdout, /\nto infer .* per token of context\nto train .*LoRA.*\n[\s\S]*complete +yes\n$/);
    const listed = JSON.parse(oppo("inspect", "tiny", "--json").stdout);
    assert.deepEqual([listed.numParameters, listed.isComplete], [numParameters, true]);
    const over = oppo("init", "--arch", "tiny", "--random", "tiny");
    assert.match(over.stderr, /tiny: expected no such folder or an empty one.*\[ERR_MODEL_EXISTS\]/);
    assert.equal(oppo("init", "--arch", "gpt", "--random", "x").status, 2);
    assert.equal(oppo("init", "--arch", "tiny", "x").status, 2);
  });

  test("an incomplete model ends with 1 and says what it lacks", () => {
    oppo("init", "--arch", "tiny", "--random", "part");
    rmSync(join(theatre.root, "part/tokenizer.json"));
    const { status, stdout } = oppo("inspect", "part");
    assert.equal(status, 1);
    assert.match(stdout, /files missing +tokenizer\.json\ncomplete +no/);
    assert.match(oppo("inspect", "nowhere").stderr, /nowhere: expected a model folder.*\[ERR_CHECKPOINT_MISSING\]/);
  });
});

describe("oppo infer", () => {
  test("answers clips in order, masked or not, the same every time", () => {
    const args = ["infer", ...clips, "--model", model, "--max-new-tokens", "8", "--json"];
    const first = oppo(...args);
    assert.equal(first.status, 0, first.stderr);
    const answers = JSON.parse(first.stdout);
    const [{ schema }] = answers;
    assert.equal(schema, "oppo.infer/1");
    assert.deepEqual(
      answers.map(({ clips: [clip] }: { clips: string[] }) => clip),
      clips,
    );
    for (const [i, answer] of answers.entries()) {
      assert.equal(
        answer.prompt,
        `the person says: ${theatre.samples[i]!.subtitle}. what does the person feel, and why?`,
      );
      assert.deepEqual(answer.modalities, ["video", "audio"]);
      assert.deepEqual(answer.masked, []);
      assert.ok(answer.numNewTokens >= 1 && answer.numNewTokens <= 8);
      assert.ok(answer.firstTokenSeconds > 0);
      if (answer.numNewTokens > 1) assert.ok(answer.tokensPerSecond > 0);
    }
    const texts = (stdout: string) => JSON.parse(stdout).map(({ text }: { text: string }) => text);
    assert.deepEqual(texts(oppo(...args).stdout), texts(first.stdout));
    const sampled = ["--temperature", "1", "--seed"];
    assert.notDeepEqual(texts(oppo(...args, ...sampled, "1").stdout), texts(oppo(...args, ...sampled, "2").stdout));
    const masked = JSON.parse(oppo(...args, "--mask", "video=0.7", "--mask", "audio=1").stdout);
    // 112 x 112 at 28 pixels, 2 pairs of frames: 32 cells; 2 s in pieces of 40 ms: 50
    assert.deepEqual(
      masked[0].masked.map(({ modality, numMasked, numUnits }: Record<string, unknown>) => [
        modality,
        numMasked,
        numUnits,
      ]),
      [
        ["video", 22, 32],
        ["audio", 50, 50],
      ],
    );
  });

  test("streams the same text that it reports, and takes a question and a line", () => {
    const args = [
      "infer",
      clips[0]!,
      "--model",
      model,
      "--max-new-tokens",
      "8",
      "--question",
      "who?",
      "--subtitle",
      "",
    ];
    const [answer] = JSON.parse(oppo(...args, "--json").stdout);
    assert.equal(answer.prompt, "who?");
    const streamed = oppo(...args, "--stream");
    assert.ok(streamed.stdout.startsWith(answer.text), streamed.stdout);
    assert.match(streamed.stdout, /\n {2}masked {2}nothing\n {2}speed {3}\d+ tokens on \d+, first after \d+\.\d\d s/);
  });

  test("clips with one modality, odd sizes and damaged files: every one has its answer or its reason", async () => {
    const folder = theatre.root;
    const frames = Array.from({ length: 30 }, (_, i) => new Uint8Array(50 * 38 * 3).fill(i * 8));
    const tone = Float32Array.from({ length: 8000 }, (_, i) => 0.3 * Math.sin(i / 9));
    const silent = join(folder, "silent.mp4");
    const voice = join(folder, "voice.wav");
    const nothing = { width: 50, height: 38, fps: 15, frames, waveform: new Float32Array(0), sampleRateHz: 16000 };
    await encodeClip(silent, nothing);
    writeFileSync(voice, wavFile([tone], 8000));
    writeFileSync(join(folder, "empty.mp4"), "");
    writeFileSync(join(folder, "noise.mp4"), "x".repeat(3000));
    const files = [silent, voice, "empty.mp4", "noise.mp4", "absent.mp4"];
    const { status, stdout, stderr } = oppo("infer", ...files, "--model", model, "--max-new-tokens", "3", "--json");
    assert.equal(status, 1, stderr);
    const answers = JSON.parse(stdout);
    assert.deepEqual(
      answers.map(
        (answer: { modalities?: string[]; error?: { code: string } }) => answer.modalities ?? answer.error!.code,
      ),
      [["video"], ["audio"], "ERR_MEDIA_EMPTY", "ERR_MEDIA_INVALID", "ERR_MEDIA_NOT_FOUND"],
    );
    const text = oppo("infer", voice, "absent.mp4", "--model", model, "--max-new-tokens", "3");
    assert.match(
      text.stdout,
      /voice\.wav\n[\s\S]* {2}without video\n[\s\S]*absent\.mp4\n {2}not read: .*\[ERR_MEDIA_NOT_FOUND\]/,
    );
  });

  test("several clips and a picture in one question, the sound inside the video, and what cannot be inside", async () => {
    const picture = join(theatre.root, "face.png");
    writeFileSync(picture, createCanvas(112, 84).toBuffer("image/png"));
    const ask = (...more: string[]) => oppo("infer", ...more, "--model", model, "--max-new-tokens", "4", "--json");
    const tokensOf = (stdout: string) =>
      JSON.parse(stdout).map((answer: { clips: string[]; numPromptTokens: number }) => [
        answer.clips.length,
        answer.numPromptTokens,
      ]);
    const question = ["--question", "who?", "--subtitle", ""];
    const [first, second, image] = tokensOf(ask(...clips, picture, ...question).stdout) as [number, number][];
    const [together] = tokensOf(ask(...clips, picture, "--together", ...question).stdout) as [[number, number]];
    // A clip has 32 + 50 tokens and two pairs of markers, the picture 4 x 3 and one pair; the rest is the same chat.
    const chat = first![1] - (32 + 50 + 4);
    assert.deepEqual(
      [first, second, image],
      [
        [1, chat + 86],
        [1, chat + 86],
        [1, chat + 14],
      ],
    );
    assert.deepEqual(together, [3, chat + 86 + 86 + 14]);
    const inside = ask(clips[0]!, "--audio-in-video", ...question);
    assert.deepEqual(tokensOf(inside.stdout), [[1, chat + 86]]);
    const masked = JSON.parse(ask(clips[0]!, picture, "--together", "--mask", "video=0.5").stdout)[0];
    assert.deepEqual(
      masked.masked.map(({ clip, numMasked, numUnits }: Record<string, unknown>) => [clip, numMasked, numUnits]),
      [
        [clips[0], 16, 32],
        [picture, 6, 12],
      ],
    );
    const silent = join(theatre.root, "quiet.mp4");
    const frames = Array.from({ length: 30 }, (_, i) => new Uint8Array(56 * 56 * 3).fill(i * 8));
    await encodeClip(silent, {
      width: 56,
      height: 56,
      fps: 15,
      frames,
      waveform: new Float32Array(0),
      sampleRateHz: 16000,
    });
    const refused = ask(silent, "--audio-in-video");
    assert.equal(refused.status, 1);
    assert.equal(JSON.parse(refused.stdout)[0].error.code, "ERR_PROMPT_MEDIA");
    const unread = ask(clips[0]!, "absent.mp4", "--together");
    assert.deepEqual(JSON.parse(unread.stdout)[0].clips, [clips[0], "absent.mp4"]);
    assert.equal(JSON.parse(unread.stdout)[0].error.code, "ERR_MEDIA_NOT_FOUND");
  });

  test("an adapter changes what is said; a fresh one does not; what is none is refused", async () => {
    const folder = join(theatre.root, "adapter");
    {
      using base = await loadModel(model);
      using adapted = addAdapter(base, { ...defaultLora, rank: 2 }, 1);
      adapted.save(join(folder, "fresh"));
      for (const value of adapted.parameters().values()) value.fill_(0.3);
      adapted.save(join(folder, "changed"));
    }
    const ask = (...more: string[]) => {
      return oppo("infer", clips[0]!, "--model", model, "--max-new-tokens", "8", "--json", ...more);
    };
    const text = (...more: string[]): string => JSON.parse(ask(...more).stdout)[0].text;
    assert.equal(text("--adapter", join(folder, "fresh")), text());
    assert.notEqual(text("--adapter", join(folder, "changed")), text());
    assert.match(ask("--adapter", model).stdout, /ERR_CHECKPOINT_MISSING/);
  });

  test("what is wrong with a model or a mask is said before anything is decoded", () => {
    assert.match(oppo("infer", clips[0]!, "--model", "nowhere").stderr, /\[ERR_CHECKPOINT_MISSING\]/);
    const wrong = oppo("infer", clips[0]!, "--model", model, "--mask", "video=1.5");
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /--mask video=1\.5: expected video=RATIO, video=KIND:DOSE, .* from 0 to 1/);
    assert.equal(oppo("infer", "--model", model).status, 2);
    const cut = join(theatre.root, "cut");
    oppo("init", "--arch", "tiny", "--random", "cut");
    const file = join(cut, "model.safetensors");
    writeFileSync(file, readFileSync(file).subarray(0, -100));
    assert.match(oppo("infer", clips[0]!, "--model", "cut").stderr, /\[ERR_CHECKPOINT_OFFSETS\]/);
    assert.ok(existsSync(file) && readdirSync(cut).length > 1);
    // NaN in a weight: found before anything is computed when asked for, and at the first token otherwise.
    oppo("init", "--arch", "tiny", "--random", "nan");
    const weights = join(theatre.root, "nan/model.safetensors");
    const bytes = readFileSync(weights);
    const headerEnd = 8 + Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.toString("utf8", 8, headerEnd));
    const name = Object.keys(header).find((key) => key.endsWith("model.norm.weight"))!;
    const [begin] = header[name].data_offsets;
    bytes.writeFloatLE(Number.NaN, headerEnd + begin);
    writeFileSync(weights, bytes);
    const ask = ["infer", clips[0]!, "--model", "nan", "--max-new-tokens", "3"];
    assert.match(oppo(...ask, "--check-values").stderr, /model\.norm\.weight.*\[ERR_CHECKPOINT_VALUES\]/);
    const unasked = oppo(...ask);
    assert.notEqual(unasked.status, 0);
    assert.match(unasked.stdout + unasked.stderr, /got NaN.*--check-values.*\[ERR_MODEL_VALUES\]/);
  });
});
