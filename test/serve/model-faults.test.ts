// The model server under faults: engines that are killed or stand still, jobs that take too long, media that decode for ever,
// clients and servers that go away. The others are answered, and nothing is left behind.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createCanvas } from "@napi-rs/canvas";
import { type Suspect, sortLosses } from "../../src/serve/model/losses.ts";
import type { ModelServer } from "../../src/serve/model/serve-model.ts";
import { descendants, hasProcesses, isRunning } from "../support/processes.ts";
import { skipVideo } from "../support/skip-video.ts";
import { type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";
import { type Body, clientOf, startServer, textPart, until, videoPart } from "./served-model.ts";

let theatre: SmallTheatre;
let directory: string;
let server: ModelServer & { log: string[] };

before(async () => {
  theatre = await smallTheatre(1);
  directory = theatre.freshModel(1);
  server = await startServer(directory);
});
after(async () => {
  await server.close();
  theatre[Symbol.dispose]();
});

const second = 1000;
/** Seconds of decoding in 100 kB, no frame of which can be skipped. */
const slowVideo = skipVideo(1920, 1088, 4000);

function body(content: unknown, more: object = {}): Body {
  return { messages: [{ role: "user", content }], max_tokens: 12, temperature: 0, ...more } as never;
}

const long = body("hello", { max_tokens: 500 });

function slowPart(bytes = slowVideo) {
  return { type: "video_url", video_url: { url: `data:video/mp4;base64,${bytes.toString("base64")}` } };
}

function ask(request: Body, signal?: AbortSignal, asked: ModelServer = server) {
  return clientOf(asked).chat.completions.create(request, signal === undefined ? {} : { signal });
}

interface Health {
  readonly running: number;
  readonly waiting: number;
  readonly silent_seconds: number;
  readonly engine_ends: number;
}

async function health(asked: ModelServer = server): Promise<Health> {
  return (await (await fetch(`${asked.address}/health`)).json()) as Health;
}

const running = (asked: ModelServer = server) => until("a job to run", async () => (await health(asked)).running === 1);

describe("an engine that is killed", () => {
  test("is replaced, and what ran is answered by the next one; more often than five times by different jobs too", async () => {
    const expected = (await ask(long)).choices[0]!.message.content;
    for (let i = 0; i < 7; i++) {
      const pid = server.enginePid!;
      const answer = ask(long);
      await running();
      process.kill(pid, "SIGKILL");
      assert.equal((await answer).choices[0]!.message.content, expected, `kill ${i}`);
      assert.notEqual(server.enginePid, pid);
    }
    assert.match(server.log.join("\n"), /the engine's process ended \(SIGKILL\); starting it again/);
    assert.equal((await health()).engine_ends, 7);
  });

  test("twice by one job: that one is refused, those that wait are not", async () => {
    const guilty = assert.rejects(ask(long), { status: 500, code: "ERR_ENGINE_GONE" });
    await running();
    const other = ask(body("hello", { temperature: 0.5, seed: 3 }));
    await until("the other to wait", async () => (await health()).waiting === 1);
    for (let i = 0; i < 2; i++) {
      const pid = server.enginePid!;
      await running();
      process.kill(pid, "SIGKILL");
      await until("its end", () => server.enginePid !== pid);
    }
    await guilty;
    assert.equal((await other).choices.length, 1);
  });

  test("has suspects: who was being prepared, else all that decoded; what was shown in part cannot run again", () => {
    const one = (more: Partial<Suspect> = {}): Suspect => ({ hasBegun: true, hasTold: false, numEnds: 0, ...more });
    const sorted = (lost: Suspect[], isLate = false) => {
      const { again, refused } = sortLosses(lost, isLate, 9, "it ended");
      return {
        again: again.map((entry) => lost.indexOf(entry)),
        refused: refused.map(({ entry, error }) => [lost.indexOf(entry), error.code]),
      };
    };
    const preparing = [one(), one({ hasBegun: false }), one({ hasBegun: false })];
    assert.deepEqual(sorted(preparing), { again: [0, 1, 2], refused: [] });
    assert.deepEqual(
      preparing.map(({ numEnds }) => numEnds),
      [0, 1, 0],
    );
    assert.deepEqual(sorted([one(), one({ hasBegun: false, numEnds: 1 })]), {
      again: [0],
      refused: [[1, "ERR_ENGINE_GONE"]],
    });
    assert.deepEqual(sorted([one({ numEnds: 1 }), one()]), { again: [1], refused: [[0, "ERR_ENGINE_GONE"]] });
    assert.deepEqual(sorted([one({ hasTold: true }), one()]), { again: [1], refused: [[0, "ERR_ENGINE_GONE"]] });
    assert.deepEqual(sorted([one()], true), { again: [], refused: [[0, "ERR_ENGINE_DEADLINE"]] });
    assert.deepEqual(sorted([one(), one()], true), { again: [0, 1], refused: [] });
  });
});

describe("deadlines", () => {
  test("a job that takes too long is refused at its next token, or with its process; others are answered", async () => {
    const hasty = await startServer(directory, { maxJobSeconds: 0.5, name: "hasty" });
    try {
      const longer = body("hello", { max_tokens: 2000, n: 4 });
      await assert.rejects(ask(longer, undefined, hasty), { status: 503, code: "ERR_ENGINE_DEADLINE" });
      const pid = hasty.enginePid!;
      assert.equal((await ask(body("hello"), undefined, hasty)).choices.length, 1);
      assert.equal(hasty.enginePid, pid, "at a token: the process lives");
      const stuck = assert.rejects(ask(longer, undefined, hasty), { status: 503, code: "ERR_ENGINE_DEADLINE" });
      await running(hasty);
      process.kill(pid, "SIGSTOP");
      const waiting = ask(body("hello"), undefined, hasty);
      await stuck;
      assert.equal((await waiting).choices.length, 1);
      assert.notEqual(hasty.enginePid, pid);
      const media = assert.rejects(ask(body([slowPart(), textPart("?")]), undefined, hasty), {
        ...{ status: 503, code: "ERR_ENGINE_DEADLINE" },
      });
      await media;
      assert.match(hasty.log.join("\n"), /ended at a job's deadline; starting it again/);
    } finally {
      await hasty.close();
    }
  });

  test("media that nobody waits for any more stop decoding at once", async () => {
    const gone = new AbortController();
    const lost = assert.rejects(ask(body([slowPart(), textPart("?")]), gone.signal));
    await running();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const start = performance.now();
    gone.abort();
    await lost;
    assert.equal((await ask(body("hello"))).choices.length, 1);
    assert.ok(performance.now() - start < 3 * second, "control: the video decodes for longer");
  });
});

describe("prices", () => {
  test("a photo takes what the model's own range allows, however large it is", async () => {
    const photo = (width: number, height: number) => {
      const url = `data:image/png;base64,${createCanvas(width, height).toBuffer("image/png").toString("base64")}`;
      return ask(body([{ type: "image_url", image_url: { url } }, textPart("?")], { max_tokens: 1 }));
    };
    const { max_pixels } = JSON.parse(readFileSync(join(directory, "preprocessor_config.json"), "utf8"));
    const [text, small, large] = await Promise.all([
      ask(body("?", { max_tokens: 1 })),
      photo(112, 112),
      photo(1920, 1080),
    ]);
    const tokensOf = (reply: typeof text) => reply.usage!.prompt_tokens - text.usage!.prompt_tokens;
    const frame = 2;
    assert.equal(tokensOf(small), max_pixels / 28 ** 2 + frame);
    assert.ok(tokensOf(large) <= max_pixels / 28 ** 2 + frame, `${tokensOf(large)} tokens`);
  });

  test("a video of more tokens than can be had is refused with the numbers", async () => {
    const small = await startServer(directory, { name: "small", maxContext: 200 });
    try {
      const file = join(theatre.corpus, theatre.samples[0]!.media);
      assert.equal((await ask(body([videoPart(file), textPart("?")]), undefined, small)).choices.length, 1);
      const many = slowPart(skipVideo(112, 112, 1000));
      await assert.rejects(ask(body([many, textPart("?")]), undefined, small), {
        ...{ status: 400, code: "ERR_MEDIA_TOO_LARGE", message: /expected at most 313600 pixels in the frames/ },
      });
      const videos = Array.from({ length: 40 }, () => videoPart(file));
      await assert.rejects(ask(body(videos), undefined, small), { status: 400, code: "ERR_REQUEST_CONTEXT" });
    } finally {
      await small.close();
    }
  });
});

describe("the end", () => {
  test("who waits is told at once, who is being answered after the grace: 503, no reset", async () => {
    const ending = await startServer(directory, { name: "ending", maxBatch: 1 });
    const first = assert.rejects(ask(body("hello", { max_tokens: 2048, n: 4 }), undefined, ending), {
      ...{ status: 503, code: "ERR_SERVER_STOPPING" },
    });
    await running(ending);
    const second = assert.rejects(ask(body("hello"), undefined, ending), { status: 503, code: "ERR_SERVER_STOPPING" });
    await until("a second to wait", async () => (await health(ending)).waiting === 1);
    const start = performance.now();
    const closing = ending.close({ graceSeconds: 0.5 });
    await second;
    assert.ok(performance.now() - start < 400, "before the grace is over");
    await Promise.all([first, closing]);
  });

  test("a killed server takes its processes and the client's files along", { skip: !hasProcesses }, async () => {
    const child = spawn(process.execPath, [mainScript, "serve", "model", directory, "--port", "0", "--json"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const { address } = JSON.parse(await firstLine(child)) as { address: string };
    const request = JSON.stringify(body([slowPart(), textPart("?")]));
    const headers = { "content-type": "application/json" };
    const lost = fetch(`${address}/v1/chat/completions`, { method: "POST", body: request, headers }).catch(() => null);
    const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith(`oppo-serve-${child.pid}-`));
    const hasClip = () =>
      folders().some((name) => readdirSync(join(tmpdir(), name)).some((file) => /^media/.test(file)));
    await until("the clip", hasClip);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const processes = descendants(child.pid!);
    assert.ok(processes.length >= 2, `engine and decoder: ${processes.join()}`);
    const [folder] = folders();
    child.kill("SIGKILL");
    await lost;
    await until("the end of all", () => !processes.some(isRunning) && !existsSync(join(tmpdir(), folder!)), 2);
  });
});

const mainScript = new URL("../../src/cli/main.js", import.meta.url).pathname;

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      if (text.includes("\n")) resolve(text.split("\n")[0]!);
    });
  });
}
