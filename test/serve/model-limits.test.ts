// The model server at its limits: too many requests, tokens, answers too long for the cache, an engine that ends whenever it
// starts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createRandom } from "../../src/random.ts";
import type { SamplingRules } from "../../src/serve/model/protocol.ts";
import type { ModelServer } from "../../src/serve/model/serve-model.ts";
import { fittingBatches } from "../../src/serve/model/worker-batch.ts";
import { type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";
import { type Body, clientOf, post, startServer, until } from "./served-model.ts";

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

function body(content: string, more: object = {}): Body {
  return { model: server.name, messages: [{ role: "user", content }], max_tokens: 12, temperature: 0, ...more };
}

function ask(request: Body) {
  return clientOf(server).chat.completions.create(request);
}

describe("limits", () => {
  test("too many waiting requests are refused with 429, models answer /v1/models, the token is asked for", async () => {
    const small = await startServer(directory, { maxBatch: 1, maxQueue: 1, token: "s3cret", name: "small" });
    try {
      const asked = clientOf(small, "s3cret");
      const { data } = await asked.models.list();
      assert.deepEqual(
        data.map(({ id }) => id),
        ["small"],
      );
      assert.equal((await asked.models.retrieve("small")).id, "small");
      await assert.rejects(asked.models.retrieve("large"), { status: 404, code: "ERR_MODEL_NAME" });
      const request = { ...body("hello", { max_tokens: 400 }), model: "small" };
      const results = await Promise.allSettled(Array.from({ length: 6 }, () => asked.chat.completions.create(request)));
      const refused = results.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
      assert.ok(refused.length >= 3 && refused.length < 6, `${refused.length} refused`);
      for (const error of refused) {
        assert.equal(error.status, 429);
        assert.equal(error.code, "ERR_SERVER_BUSY");
        assert.equal(error.headers.get("retry-after"), "2");
      }
      await assert.rejects(clientOf(small, "wrong").models.list(), { status: 401, code: "ERR_HTTP_UNAUTHORIZED" });
      assert.equal((await fetch(`${small.address}/health`)).status, 200);
      assert.equal((await fetch(`${small.address}/metrics`)).status, 401);
    } finally {
      await small.close();
    }
  });

  test("what the cache cannot hold at once decodes in turn, what it can never hold is refused", async () => {
    const small = await startServer(directory, { name: "small", maxBatchTokens: 400 });
    try {
      const asked = clientOf(small);
      const requests = Array.from({ length: 5 }, (_, i) => ({
        ...body(`hello ${i}`, { max_tokens: 150 }),
        model: "small",
      }));
      const replies = await Promise.all(requests.map((request) => asked.chat.completions.create(request)));
      for (const [i, reply] of replies.entries()) {
        const { model: _, ...alone } = requests[i]!;
        const expected = await ask({ ...alone, model: server.name });
        assert.equal(reply.choices[0]!.message.content, expected.choices[0]!.message.content);
      }
      await assert.rejects(asked.chat.completions.create({ ...requests[0]!, n: 4 }), {
        status: 400,
        code: "ERR_REQUEST_CONTEXT",
      });
    } finally {
      await small.close();
    }
    const sized = (prompt: number, answer: number) => ({
      tokens: { ids: { length: prompt } },
      job: { maxNewTokens: answer, rules: { numSamples: 2 } as SamplingRules },
    });
    // Two of (100 + 2 x 50) are 400 places; with the longer prompt three would be 3 x (150 + 100).
    const jobs = [sized(100, 50), sized(100, 50), sized(150, 10), sized(20, 10), sized(20, 10)];
    const sizes = fittingBatches(jobs, 400).map(({ length }) => length);
    assert.deepEqual(sizes, [2, 2, 1]);
  });

  test("damaged clips are answered or refused, and the engine lives on", async () => {
    const pid = server.enginePid;
    const random = createRandom(5);
    const whole = readFileSync(join(theatre.corpus, theatre.samples[0]!.media));
    const statuses = new Map<number, number>();
    for (let i = 0; i < 24; i++) {
      const bytes = Buffer.from(i % 4 === 0 ? whole.subarray(0, random.int(whole.length)) : whole);
      for (let n = random.int(40); n >= 0; n--) bytes[random.int(bytes.length)] = random.int(256);
      const url = `data:video/mp4;base64,${bytes.toString("base64")}`;
      const content = [
        { type: "video_url", video_url: { url } },
        { type: "text", text: "?" },
      ];
      const extra = { mm_processor_kwargs: { use_audio_in_video: i % 2 === 0 }, max_tokens: 2 };
      const answer = await post(`${server.address}/v1/chat/completions`, JSON.stringify(body(content as never, extra)));
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      if (answer.status !== 200) assert.match(answer.body.error!.code, /^ERR_/);
    }
    assert.deepEqual(
      [...statuses.keys()].filter((status) => status !== 200 && status !== 400),
      [],
    );
    assert.ok((statuses.get(400) ?? 0) > 5, JSON.stringify([...statuses]));
    assert.equal(server.enginePid, pid);
  });

  test("an engine that ends whenever it starts is given up", async () => {
    let isBroken = false;
    const dying = await startServer(directory, { onBroken: () => (isBroken = true) });
    for (let i = 0; i < 10 && !isBroken; i++) {
      const pid = dying.enginePid;
      if (pid !== null) process.kill(pid, "SIGKILL");
      await until("the next engine", () => isBroken || dying.enginePid !== pid);
    }
    assert.ok(isBroken);
    assert.equal((await fetch(`${dying.address}/health`)).status, 503);
    await assert.rejects(clientOf(dying).chat.completions.create(body("hello")), {
      status: 503,
      code: "ERR_SERVER_STOPPING",
    });
    await dying.close();
  });
});
