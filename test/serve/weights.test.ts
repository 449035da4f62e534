// A server that a trainer gives weights to: adapters by name and whole models from a folder answer as they do in this process,
// also after the engine's process was replaced; what must not be read is refused; ids, seeds and stop tokens are told exactly.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { OmniModel, SampledCompletion } from "../../src/models/omni-model.ts";
import { loadModel } from "../../src/models/registry.ts";
import type { ModelServer } from "../../src/serve/model/serve-model.ts";
import { noGrad, scope } from "../../src/tensor/index.ts";
import { loudAdapter } from "../support/loud-adapter.ts";
import { type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";
import { audioPart, post, startServer, textPart, until } from "./served-model.ts";

const maxTokens = 12;
/** float32 sums in another order; the same batch gives the same bits. */
const logprobTolerance = 1e-5;
const question = "what does the person feel?";
const seeds = [11, 5, 7, 1234567];

let theatre: SmallTheatre;
let model: OmniModel;
let server: ModelServer & { readonly log: string[] };
let weights: string;

before(async () => {
  theatre = await smallTheatre(1);
  const directory = theatre.freshModel(1);
  model = await loadModel(directory);
  weights = join(theatre.root, "weights");
  mkdirSync(weights);
  for (const [name, seed, rank] of [
    ["one", 1, 4],
    ["two", 2, 4],
    ["wide", 3, 32],
  ] as const) {
    using adapted = loudAdapter(model, seed, { rank });
    adapted.save(join(weights, name));
  }
  server = await startServer(directory, { name: "base", allowWeights: weights });
});
after(async () => {
  await server.close();
  model[Symbol.dispose]();
  theatre[Symbol.dispose]();
});

const waveform = Float32Array.from({ length: 16000 }, (_, i) => Math.sin(i / 20) / 2);

/** What a model of this process says of the sound. */
function inProcess(speaker: OmniModel, more: { temperature?: number; logprobTemperature?: number } = {}) {
  const clip = { frames: new Uint8Array(0), numFrames: 0, height: 0, width: 0, fps: 2 };
  return scope(() => {
    const features = speaker.features({ ...clip, waveform, sampleRateHz: 16000, durationSeconds: 1 });
    const rows = noGrad(() => speaker.encode([features]))[0]!;
    const tokens = speaker.promptTokens(question, features);
    const options = { numSamples: seeds.length, maxNewTokens: maxTokens, temperature: 1, seeds, ...more };
    return { prompt: Array.from(tokens.ids), said: speaker.sample([{ tokens, rows }], options)[0]! };
  });
}

function withAdapter<T>(seed: number, body: (speaker: OmniModel) => T): T {
  using adapted = loudAdapter(model, seed);
  return body(adapted);
}

interface Reply {
  readonly prompt_token_ids: number[];
  readonly choices: readonly {
    readonly token_ids: number[];
    readonly finish_reason: string;
    readonly logprobs: { readonly content: { token: string; logprob: number; top_logprobs: { token: string }[] }[] };
  }[];
}

const messages = [{ role: "user", content: [audioPart(waveform), textPart(question)] }];

function requestTo(name: string, more: object = {}) {
  const ids = { return_token_ids: true, return_tokens_as_token_ids: true, logprobs: true };
  return { model: name, messages, max_tokens: maxTokens, temperature: 1, n: seeds.length, seeds, ...ids, ...more };
}

async function send(path: string, body: unknown, to: ModelServer = server) {
  const response = await fetch(`${to.address}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

async function ask(name: string, more: object = {}, to: ModelServer = server): Promise<Reply> {
  const { status, text } = await send("/v1/chat/completions", requestTo(name, more), to);
  assert.equal(status, 200, text);
  return JSON.parse(text) as Reply;
}

/** @returns the largest difference of a log-probability */
function compare({ choices }: Reply, said: readonly SampledCompletion[]): number {
  let largest = 0;
  for (const [i, { ids, logprobs, truncated }] of said.entries()) {
    const { token_ids, logprobs: told, finish_reason } = choices[i]!;
    assert.deepEqual(token_ids, Array.from(ids), `answer ${i}`);
    assert.equal(finish_reason, truncated ? "length" : "stop");
    assert.deepEqual(
      told.content.map(({ token }) => token),
      Array.from(ids, (id) => `token_id:${id}`),
      "a log-probability per id, that of the stop token too",
    );
    for (const [t, { logprob }] of told.content.entries()) {
      largest = Math.max(largest, Math.abs(logprob - logprobs[t]!));
    }
  }
  assert.ok(largest <= logprobTolerance, `log-probabilities differ by ${largest}`);
  return largest;
}

const load = (name: string, path: string, more: object = {}, to: ModelServer = server) =>
  send("/v1/load_lora_adapter", { lora_name: name, lora_path: path, ...more }, to);

describe("adapters", () => {
  test("answer by name as in this process: ids, log-probabilities and stop tokens, with a list of seeds", async () => {
    const own = inProcess(model);
    assert.ok(new Set(own.said.map(({ ids }) => ids.join())).size > 1, "seeds differ");
    const plain = await ask("base");
    assert.deepEqual(plain.prompt_token_ids, own.prompt);
    const differences = [compare(plain, own.said)];
    for (const [name, seed] of [
      ["one", 1],
      ["two", 2],
    ] as const) {
      assert.deepEqual(await load(name, join(weights, name)), {
        status: 200,
        text: `Success: LoRA adapter '${name}' added successfully.`,
      });
      const expected = withAdapter(seed, (speaker) => inProcess(speaker).said);
      assert.notDeepEqual(expected[0]!.ids, own.said[0]!.ids, "the adapter is heard");
      differences.push(compare(await ask(name), expected));
    }
    assert.deepEqual(differences, [0, 0, 0], "to the bit");
    const listed = (await (await fetch(`${server.address}/v1/models`)).json()) as {
      data: { id: string; parent?: string }[];
    };
    assert.deepEqual(
      listed.data.map(({ id, parent }) => [id, parent]),
      [
        ["base", undefined],
        ["one", "base"],
        ["two", "base"],
      ],
    );
  });

  test("some answers end with a stop token, whose log-probability is told", async () => {
    const endings = Array.from({ length: 40 }, (_, i) => i);
    const { choices } = await ask("base", { n: 40, seeds: endings, max_tokens: 200, temperature: 3 });
    assert.equal(choices.length, 40, "more than sixteen");
    const stopped = choices.filter(({ finish_reason }) => finish_reason === "stop");
    for (const { token_ids, logprobs } of stopped) {
      assert.ok(model.stopIds.includes(token_ids.at(-1)!));
      assert.equal(logprobs.content.length, token_ids.length);
    }
    assert.ok(stopped.length > 0, "none ended by itself");
    const { text } = await send("/v1/chat/completions", {
      ...requestTo("base", { n: 40, seeds: endings, max_tokens: 200, temperature: 3 }),
      return_token_ids: false,
    });
    const plain = (JSON.parse(text) as Reply).choices.map(({ logprobs }) => logprobs.content.length);
    const shorter = choices.map(
      ({ token_ids, finish_reason }) => token_ids.length - (finish_reason === "stop" ? 1 : 0),
    );
    assert.deepEqual(plain, shorter, "who asks for no ids sees what is shown");
  });

  test("are replaced in place, unloaded, and refused with the reason", async () => {
    const one = await ask("one");
    assert.equal((await load("one", join(weights, "two"))).status, 400, "the name is taken");
    assert.equal((await load("one", join(weights, "two"), { load_inplace: true })).status, 200);
    assert.notDeepEqual((await ask("one")).choices[0]!.token_ids, one.choices[0]!.token_ids);
    const removed = await send("/v1/unload_lora_adapter", { lora_name: "one" });
    assert.deepEqual(removed, { status: 200, text: "Success: LoRA adapter 'one' removed successfully." });
    assert.equal((await send("/v1/unload_lora_adapter", { lora_name: "one" })).status, 404);
    const gone = await send("/v1/chat/completions", requestTo("one"));
    assert.equal(gone.status, 404);
    assert.match(gone.text, /ERR_MODEL_NAME/);
    assert.equal((await load("base", join(weights, "one"))).status, 400, "the model's own name");
    for (const [path, code] of [
      [join(weights, "wide"), "ERR_ADAPTER_RANK"],
      [join(weights, "missing"), "ERR_WEIGHTS"],
      [theatre.root, "ERR_WEIGHTS"],
      [`${weights}/../weights/../fresh-1`, "ERR_WEIGHTS"],
      ["/etc", "ERR_WEIGHTS"],
      [join(weights, "pickle"), "ERR_WEIGHTS"],
      [join(weights, "link"), "ERR_WEIGHTS"],
      [join(weights, "linked-file"), "ERR_WEIGHTS"],
      [join(weights, "foreign"), "ERR_ADAPTER_KEYS"],
    ] as const) {
      if (path.endsWith("link")) symlinkSync(theatre.freshModel(3), path);
      if (path.endsWith("pickle") || path.endsWith("linked-file") || path.endsWith("foreign")) {
        mkdirSync(path);
        copyFileSync(join(weights, "one", "adapter_config.json"), join(path, "adapter_config.json"));
        if (path.endsWith("pickle")) writeFileSync(join(path, "adapter_model.bin"), "cos\nsystem\n");
        if (path.endsWith("linked-file")) {
          symlinkSync(join(theatre.freshModel(3), "model.safetensors"), join(path, "adapter_model.safetensors"));
        }
        if (path.endsWith("foreign")) {
          copyFileSync(join(theatre.freshModel(3), "model.safetensors"), join(path, "adapter_model.safetensors"));
        }
      }
      const { status, text } = await load("bad", path);
      assert.deepEqual([status, (JSON.parse(text) as { error: { code: string } }).error.code], [400, code], path);
    }
    const closed = await startServer(theatre.freshModel(1));
    assert.equal((await load("one", join(weights, "one"), {}, closed)).status, 403, "not allowed at all");
    await closed.close();
  });

  test("are there again when the engine's process was replaced; one whose files are gone is not", async () => {
    await load("stays", join(weights, "one"));
    const before = await ask("stays");
    const pid = server.enginePid!;
    process.kill(pid, "SIGKILL");
    await until("a new process", () => server.enginePid !== null && server.enginePid !== pid);
    await until("its health", async () => (await fetch(`${server.address}/health`)).status === 200);
    const again = await ask("stays");
    assert.deepEqual(again.choices, before.choices);
    const hidden = join(weights, "hidden");
    await load("goes", join(weights, "two"));
    renameSync(join(weights, "two"), hidden);
    const second = server.enginePid!;
    process.kill(second, "SIGKILL");
    await until("another process", () => server.enginePid !== null && server.enginePid !== second);
    await until("its health", async () => (await fetch(`${server.address}/health`)).status === 200);
    assert.equal((await send("/v1/chat/completions", requestTo("goes"))).status, 404);
    assert.deepEqual((await ask("stays")).choices, before.choices);
    renameSync(hidden, join(weights, "two"));
    assert.equal((await load("goes", join(weights, "two"), { load_inplace: true })).status, 200);
  });
});

describe("a whole model", () => {
  test("takes the place of another of its kind, in vLLM's order of calls", async () => {
    const other = join(weights, "other");
    renameSync(theatre.freshModel(8), other);
    using speaker = await loadModel(other);
    const own = await startServer(theatre.freshModel(1), { name: "base", allowWeights: weights });
    assert.equal((await send("/init_weight_transfer_engine", { init_info: {} }, own)).status, 200);
    const update = { update_info: { path: other } };
    assert.equal((await send("/update_weights", update, own)).status, 400, "not begun");
    assert.equal((await send("/start_weight_update", {}, own)).status, 200);
    assert.equal((await send("/finish_weight_update", {}, own)).status, 400, "nothing was given");
    assert.equal((await send("/update_weights", update, own)).status, 200);
    assert.equal((await send("/finish_weight_update", {}, own)).status, 200);
    compare(await ask("base", {}, own), inProcess(speaker).said);
    const pid = own.enginePid!;
    process.kill(pid, "SIGKILL");
    await until("a new process", () => own.enginePid !== null && own.enginePid !== pid);
    await until("its health", async () => (await fetch(`${own.address}/health`)).status === 200);
    compare(await ask("base", {}, own), inProcess(speaker).said);
    await send("/start_weight_update", {}, own);
    const wrong = await send("/update_weights", { update_info: { path: join(weights, "one") } }, own);
    assert.equal(wrong.status, 400, "an adapter is no model");
    await own.close();
    const closed = await startServer(theatre.freshModel(1));
    assert.equal((await send("/init_weight_transfer_engine", { init_info: {} }, closed)).status, 403);
    await closed.close();
  });
});

describe("ids and log-probabilities", () => {
  test("are told before anything is said: /tokenize of a text and of a conversation with media", async () => {
    const plain = await send("/tokenize", { model: "base", prompt: question });
    const ids = Array.from(model.encodeText(question));
    assert.deepEqual(JSON.parse(plain.text), {
      count: ids.length,
      max_model_len: 32768,
      tokens: ids,
      token_strs: null,
    });
    const chat = await send("/tokenize", { messages, add_generation_prompt: true });
    assert.deepEqual((JSON.parse(chat.text) as { tokens: number[] }).tokens, inProcess(model).prompt);
    assert.equal((await send("/tokenize", { messages, add_generation_prompt: false })).status, 400);
    assert.equal((await send("/tokenize", { prompt: 3 })).status, 400);
  });

  test("are those of the temperature where the server says so", async () => {
    const processed = await startServer(theatre.freshModel(1), { name: "base", logprobsMode: "processed_logprobs" });
    const hot = { temperature: 1.7 };
    compare(await ask("base", hot, processed), inProcess(model, { ...hot, logprobTemperature: 1.7 }).said);
    compare(await ask("base", hot), inProcess(model, hot).said);
    await processed.close();
  });

  test("need as many seeds as answers", async () => {
    const { status, body } = await post(
      `${server.address}/v1/chat/completions`,
      JSON.stringify(requestTo("base", { n: 2 })),
    );
    assert.deepEqual([status, body.error!.code], [400, "ERR_REQUEST_FIELD"]);
    assert.match(body.error!.message, /^seeds: expected 2 of them/);
  });
});
