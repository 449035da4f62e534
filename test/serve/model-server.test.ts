// The model server, asked by OpenAI's own client: the same token ids as in the process, alone or in a batch, whole or
// streamed; clients that go away.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createCanvas } from "@napi-rs/canvas";
import type OpenAI from "openai";
import type { MediaClip } from "../../src/media/clip.ts";
import { decodeClip } from "../../src/media/decode.ts";
import { decodeImageBytes } from "../../src/media/decode-image.ts";
import { joinRows } from "../../src/models/clip-rows.ts";
import type { ChatTurn, ClipFeatures, OmniModel } from "../../src/models/omni-model.ts";
import { loadModel } from "../../src/models/registry.ts";
import type { ModelServer } from "../../src/serve/model/serve-model.ts";
import { noGrad, scope } from "../../src/tensor/index.ts";
import { type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";
import { audioPart, type Body, clientOf, startServer, textPart, until, videoPart } from "./served-model.ts";

const numClips = 3;
const maxTokens = 12;
/** float32 sums of a batch in another order. */
const logprobTolerance = 1e-4;

let theatre: SmallTheatre;
let directory: string;
let model: OmniModel;
let server: ModelServer & { log: string[] };
let client: OpenAI;
let files: string[];
let clips: MediaClip[];

before(async () => {
  theatre = await smallTheatre(numClips);
  directory = theatre.freshModel(1);
  model = await loadModel(directory);
  server = await startServer(directory);
  client = clientOf(server);
  files = theatre.samples.map(({ media }) => join(theatre.corpus, media));
  clips = await Promise.all(files.map((file) => decodeClip(file, model.sampling)));
});
after(async () => {
  await server.close();
  model[Symbol.dispose]();
  theatre[Symbol.dispose]();
});

/** What the model says in this process, as `oppo infer` asks it. */
function inProcess(clip: MediaClip | null, text: string, system?: string): { prompt: number[]; ids: number[] } {
  return scope(() => {
    const features = clip === null ? { video: null, audio: null } : model.features(model.fitClip(clip));
    const rows = clip === null ? null : noGrad(() => model.encode([features]))[0]!;
    const tokens = model.promptTokens(text, features, system === undefined ? {} : { system });
    const [completions] = model.sample([{ tokens, rows }], { numSamples: 1, maxNewTokens: maxTokens, temperature: 0 });
    return { prompt: Array.from(tokens.ids), ids: Array.from(completions![0]!.ids) };
  });
}

/** The same for a conversation. */
function inConversation(turns: readonly ChatTurn[], media: readonly ClipFeatures[], audioInVideo = false) {
  return scope(() => {
    const rows = noGrad(() => joinRows(model.encode(media)));
    const tokens = model.chatTokens(turns, audioInVideo ? { layout: "audio-in-video" } : {});
    const [completions] = model.sample([{ tokens, rows }], { numSamples: 1, maxNewTokens: maxTokens, temperature: 0 });
    return { prompt: Array.from(tokens.ids), ids: Array.from(completions![0]!.ids) };
  });
}

function framePng({ frames, width, height }: MediaClip, index: number): Buffer {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  for (let from = index * width * height * 3, to = 0; to < pixels.data.length; from += 3, to += 4) {
    pixels.data.set(frames.subarray(from, from + 3), to);
    pixels.data[to + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return canvas.toBuffer("image/png");
}

function body(content: readonly unknown[] | string, more: object = {}): Body {
  const messages = [{ role: "user", content }];
  return {
    model: server.name,
    messages,
    max_tokens: maxTokens,
    temperature: 0,
    return_token_ids: true,
    ...more,
  } as never;
}

type WithIds = Omit<OpenAI.ChatCompletion, "choices"> & {
  prompt_token_ids: number[];
  choices: (OpenAI.ChatCompletion.Choice & { token_ids: number[] })[];
};

async function ask(request: Body): Promise<WithIds> {
  return (await client.chat.completions.create(request)) as unknown as WithIds;
}

async function counted(name: string): Promise<number> {
  const metrics = await (await fetch(`${server.address}/metrics`)).text();
  return Number(new RegExp(`^oppo_model_${name} (\\d+)$`, "m").exec(metrics)?.[1] ?? 0);
}

const question = "what does the person feel?";

describe("answers", () => {
  test("are token for token those of the process, for text, video, sound and both", async () => {
    const [clip, file] = [clips[0]!, files[0]!];
    const silent = { ...clip, waveform: new Float32Array(0) };
    const unseen = { ...clip, frames: new Uint8Array(0), numFrames: 0 };
    const cases: [string, Body, ReturnType<typeof inProcess>][] = [
      ["text", body("hello"), inProcess(null, "hello")],
      // The sound in the file is not asked for.
      ["video", body([videoPart(file), textPart(question)]), inProcess(silent, question)],
      ["audio", body([audioPart(clip.waveform), textPart(question)]), inProcess(unseen, question)],
      ["both", body([videoPart(file), audioPart(clip.waveform), textPart(question)]), inProcess(clip, question)],
    ];
    const seen = new Set<string>();
    for (const [name, request, expected] of cases) {
      const reply = await ask(request);
      assert.deepEqual(reply.prompt_token_ids, expected.prompt, name);
      assert.deepEqual(reply.choices[0]!.token_ids, expected.ids, name);
      assert.equal(reply.usage!.prompt_tokens, expected.prompt.length);
      assert.equal(reply.usage!.completion_tokens, expected.ids.length);
      assert.equal(reply.choices[0]!.finish_reason, model.stopIds.includes(expected.ids.at(-1)!) ? "stop" : "length");
      seen.add(expected.prompt.join());
    }
    assert.equal(seen.size, cases.length, "the prompts differ");
    assert.deepEqual(
      readdirSync(theatre.root).filter((name) => name.startsWith("media")),
      [],
    );
    const left = readdirSync(tmpdir()).filter((name) => name.startsWith(`oppo-serve-${process.pid}-`));
    for (const folder of left) {
      assert.deepEqual(
        readdirSync(join(tmpdir(), folder)).filter((name) => name.startsWith("media")),
        [],
      );
    }
  });

  test("hear a system message, and silence and black are other inputs", async () => {
    const system = { role: "system", content: "be brief" };
    const messages = [system, { role: "user", content: "hello" }];
    const reply = await ask({ ...body("hello"), messages } as never);
    assert.deepEqual(reply.prompt_token_ids, inProcess(null, "hello", "be brief").prompt);
    assert.notDeepEqual(reply.prompt_token_ids, inProcess(null, "hello").prompt);
    const mute = new Float32Array(clips[0]!.waveform.length);
    const masked = { ...clips[0]!, waveform: mute };
    const heard = await ask(body([videoPart(files[0]!), audioPart(mute), textPart(question)], { logprobs: true }));
    assert.deepEqual(heard.choices[0]!.token_ids, inProcess(masked, question).ids);
    const sounding = await ask(
      body([videoPart(files[0]!), audioPart(clips[0]!.waveform), textPart(question)], { logprobs: true }),
    );
    const first = (one: WithIds) => one.choices[0]!.logprobs!.content![0]!.logprob;
    assert.notEqual(first(heard), first(sounding), "silence is no sound");
  });

  test("follow several turns, clips and images, sound inside the video, and frames that were sampled already", async () => {
    const [one, two] = clips as [MediaClip, MediaClip];
    const mute = (clip: MediaClip) => ({ ...clip, waveform: new Float32Array(0) });
    const deaf = (clip: MediaClip) => ({ ...clip, frames: new Uint8Array(0), numFrames: 0 });
    const canvas = createCanvas(60, 40);
    canvas.getContext("2d").fillRect(10, 10, 20, 20);
    const png = canvas.toBuffer("image/png");
    const picture = model.features(model.fitImage(await decodeImageBytes(png, "picture")));
    const features = (clip: MediaClip) => model.features(model.fitClip(clip));
    const text = (value: string) => ({ type: "text" as const, text: value });
    const clip = (shape: ClipFeatures) => ({ type: "clip" as const, clip: shape });
    const image = { type: "image_url", image_url: { url: `data:image/png;base64,${png.toString("base64")}` } };

    const first = { role: "user", content: [videoPart(files[0]!), image, textPart("which?")] };
    const reply = { role: "assistant", content: "<think>the first.</think><answer>calm</answer>" };
    const second = { role: "user", content: [textPart("and "), audioPart(two.waveform), textPart("this?")] };
    const media = [features(mute(one)), picture, features(deaf(two))] as const;
    const turns: ChatTurn[] = [
      { role: "user", parts: [clip(media[0]), { type: "image", image: picture }, text("which?")] },
      { role: "assistant", parts: [text(reply.content)] },
      { role: "user", parts: [text("and "), clip(media[2]), text("this?")] },
    ];
    const chat = await ask({ ...body(""), messages: [first, reply, second] } as never);
    const expected = inConversation(turns, media);
    assert.deepEqual(chat.prompt_token_ids, expected.prompt);
    assert.deepEqual(chat.choices[0]!.token_ids, expected.ids);

    const inside = await ask(
      body([videoPart(files[0]!), textPart(question)], { mm_processor_kwargs: { use_audio_in_video: true } }),
    );
    const sounding = features(one);
    const heard: ChatTurn[] = [{ role: "user", parts: [clip(sounding), text(question)] }];
    assert.deepEqual(inside.prompt_token_ids, inConversation(heard, [sounding], true).prompt);
    assert.deepEqual(inside.choices[0]!.token_ids, inConversation(heard, [sounding], true).ids);
    assert.notDeepEqual(inside.prompt_token_ids, inProcess(one, question).prompt, "interleaved");

    const frames = Array.from({ length: one.numFrames }, (_, i) => framePng(one, i).toString("base64"));
    const listed = { type: "video_url", video_url: { url: `data:video/jpeg;base64,${frames.join(",")}` } };
    const sampled = await ask(body([listed, textPart(question)], { media_io_kwargs: { video: { fps: one.fps } } }));
    const whole = inProcess(mute(one), question);
    assert.deepEqual([sampled.prompt_token_ids, sampled.choices[0]!.token_ids], [whole.prompt, whole.ids]);
  });

  test("refuse media that are none of what their part says", async () => {
    const broken = { type: "video_url", video_url: { url: "data:video/mp4;base64,AAAABBBBCCCC" } };
    const wav = audioPart(clips[0]!.waveform).input_audio.data;
    const cases: [unknown, string][] = [
      [broken, "ERR_MEDIA_INVALID"],
      [{ type: "video_url", video_url: { url: `data:video/mp4;base64,${wav}` } }, "ERR_REQUEST_MEDIA"],
      [audioPart(new Float32Array(10)), "ERR_AUDIO_TOO_SHORT"],
      [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAABBBBCCCC" } }, "ERR_MEDIA_INVALID"],
    ];
    for (const [part, code] of cases) {
      const error = await ask(body([part, textPart("?")])).catch((thrown: unknown) => thrown);
      assert.deepEqual([(error as { status: number }).status, (error as { code: string }).code], [400, code]);
      assert.doesNotMatch((error as Error).message, /oppo-serve/);
    }
    // As bytes it might be short enough, as tokens it is not; then as bytes.
    const long = ask(body("word ".repeat(100_000)));
    await assert.rejects(long, { status: 400, code: "ERR_REQUEST_CONTEXT" });
    const longer = ask(body("word ".repeat(200_000)));
    await assert.rejects(longer, {
      status: 413,
      code: "ERR_REQUEST_CONTEXT",
      message: /at most 524288 bytes.*got 1000000/,
    });
  });

  test("do not depend on who else is in the batch", async () => {
    const requests = files.flatMap((file, i) => [
      body([videoPart(file), audioPart(clips[i]!.waveform), textPart(question)]),
      body([textPart(`hello ${"again ".repeat(i)}`)], { max_tokens: 5 + i }),
    ]);
    const before = await counted("batches_total");
    const together = await Promise.all(requests.map(ask));
    const numBatches = (await counted("batches_total")) - before;
    assert.ok(numBatches >= 1 && numBatches < requests.length, `${requests.length} requests in ${numBatches} batches`);
    for (const [i, request] of requests.entries()) {
      const alone = await ask(request);
      assert.deepEqual(together[i]!.choices[0]!.token_ids, alone.choices[0]!.token_ids, `request ${i}`);
    }
    assert.ok(new Set(together.map(({ choices }) => choices[0]!.token_ids.length)).size > 1, "lengths differ");
  });

  test("are drawn with the request's seed, n of them", async () => {
    const drawn = { temperature: 1, n: 3, seed: 7 };
    const one = await ask(body("hello", drawn));
    const ids = one.choices.map(({ token_ids }) => token_ids.join());
    assert.equal(new Set(ids).size, 3);
    const again = await ask(body("hello", drawn));
    assert.deepEqual(
      again.choices.map(({ token_ids }) => token_ids.join()),
      ids,
    );
    const other = await ask(body("hello", { ...drawn, seed: 8 }));
    assert.notDeepEqual(
      other.choices.map(({ token_ids }) => token_ids.join()),
      ids,
    );
    const greedy = await ask(body("hello"));
    const narrow = await ask(body("hello", { temperature: 1, top_k: 1 }));
    assert.deepEqual(narrow.choices[0]!.token_ids, greedy.choices[0]!.token_ids);
    const penalised = await ask(body("hello", { repetition_penalty: 5 }));
    assert.equal(new Set(penalised.choices[0]!.token_ids).size, penalised.choices[0]!.token_ids.length);
  });

  test("end before a stop string, and log-probabilities are the model's", async () => {
    const whole = await ask(body("hello", { logprobs: true, top_logprobs: 3 }));
    const text = whole.choices[0]!.message.content!;
    const tokens = whole.choices[0]!.logprobs!.content!;
    assert.equal(tokens.length, whole.choices[0]!.token_ids.filter((id) => !model.stopIds.includes(id)).length);
    for (const { token, logprob, bytes, top_logprobs } of tokens) {
      assert.deepEqual(bytes, token.includes("\uFFFD") || token === "" ? null : [...Buffer.from(token)]);
      assert.equal(top_logprobs.length, 3);
      // Greedy: the chosen one is the likeliest that may be chosen.
      assert.ok(Math.abs(top_logprobs.find((one) => one.token === token)!.logprob - logprob) < logprobTolerance);
      assert.ok(top_logprobs.reduce((sum, one) => sum + Math.exp(one.logprob), 0) <= 1 + logprobTolerance);
    }
    const stop = text.slice(4, 7);
    const cut = await ask(body("hello", { stop: [stop, "\u2603"] }));
    assert.equal(cut.choices[0]!.message.content, text.slice(0, text.indexOf(stop)));
    assert.equal(cut.choices[0]!.finish_reason, "stop");
    assert.ok(cut.usage!.completion_tokens < whole.usage!.completion_tokens);
  });
});

describe("streams", () => {
  test("carry the same text and log-probabilities as whole answers, and usage when asked", async () => {
    const request = body("hello", { n: 2, temperature: 1, seed: 5, logprobs: true });
    const whole = await ask(request);
    const stream = await client.chat.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    });
    const texts = ["", ""];
    const logprobs: number[][] = [[], []];
    const finishes: (string | null)[] = [null, null];
    let usage: unknown = null;
    let numEvents = 0;
    for await (const { choices, usage: told } of stream) {
      numEvents++;
      usage = told ?? usage;
      for (const { index, delta, finish_reason, logprobs: own } of choices) {
        texts[index] += delta.content ?? "";
        logprobs[index]!.push(...(own?.content ?? []).map(({ logprob }) => logprob));
        finishes[index] = finish_reason ?? finishes[index]!;
      }
    }
    assert.ok(numEvents > 6, `${numEvents} events`);
    assert.deepEqual(
      texts,
      whole.choices.map(({ message }) => message.content),
    );
    assert.deepEqual(
      logprobs,
      whole.choices.map((one) => one.logprobs!.content!.map(({ logprob }) => logprob)),
    );
    assert.deepEqual(
      finishes,
      whole.choices.map(({ finish_reason }) => finish_reason),
    );
    assert.deepEqual(usage, whole.usage);
  });

  test("a client that goes away while it waits frees its place too", async () => {
    const stop = new AbortController();
    const endless = body("hello", { max_tokens: 2048 });
    const waiting = client.chat.completions.create(endless, { signal: stop.signal });
    const gone = assert.rejects(waiting);
    const health = async () =>
      (await (await fetch(`${server.address}/health`)).json()) as { running: number; waiting: number };
    await until("the job to run", async () => (await health()).running === 1);
    // Other rules: it cannot join the batch.
    const queued = client.chat.completions.create(body("hello", { temperature: 1 }), { signal: stop.signal });
    const left = assert.rejects(queued);
    await until("the other to wait", async () => (await health()).waiting === 1);
    stop.abort();
    await Promise.all([gone, left]);
    await until("both places to be free", async () => {
      const { running, waiting: numWaiting } = await health();
      return running === 0 && numWaiting === 0;
    });
    assert.equal((await ask(body("hello"))).choices.length, 1);
    assert.deepEqual(server.log, []);
  });

  test("a client that goes away mid-stream frees its place", async () => {
    const health = async () => (await (await fetch(`${server.address}/health`)).json()) as { running: number };
    const stop = new AbortController();
    // Greedy answers of a random model go round in circles: this one does not end by itself.
    const stream = await client.chat.completions.create(
      { ...body("hello", { max_tokens: 2048 }), stream: true },
      { signal: stop.signal },
    );
    for await (const { choices } of stream) if (choices[0]?.delta.content !== "") break;
    assert.equal((await health()).running, 1);
    const start = Date.now();
    stop.abort();
    await until("the place to be free", async () => (await health()).running === 0);
    const waited = Date.now() - start;
    const after = await ask(body("hello"));
    assert.equal(after.choices.length, 1);
    assert.ok(waited < 5000, `${waited} ms`);
  });
});
