// A pull against a server that has a hub's API: whole, resumed, broken off, wrong, hostile, limited.
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { connect, type PullOptions, pullModel } from "../../../src/recipes/pull/pull-model.ts";
import { pullText } from "../../../src/recipes/pull/pull-text.ts";
import { type MockHub, type MockHubOptions, mockCommit, startMockHub } from "../../support/mock-hub.ts";
import { quietRun } from "../../support/quiet-run.ts";
import { sharedPath } from "../../support/shared.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const golden = sharedPath("golden/qwen-omni/qwen3_embed")!;
const goldenNames = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
const goldenFiles = Object.fromEntries(goldenNames.map((name) => [name, readFileSync(join(golden, name))]));
const unwanted = { "README.md": "hello", "run.py": "print(1)", "pytorch_model.bin": "pickle", "sub/config.json": "{}" };
const quick = { maxBreaks: 3, pauseMilliseconds: 1, stallMilliseconds: 300 };

interface Pulling {
  readonly hub: MockHub;
  readonly directory: string;
  readonly lines: string[];
  pull(more?: Partial<PullOptions> & { token?: string | null }): ReturnType<typeof pullModel>;
}

async function start(t: TestContext, options: Partial<MockHubOptions> = {}): Promise<Pulling> {
  const hub = await startMockHub(t, { files: { ...goldenFiles, ...unwanted }, ...options });
  const directory = join(temporaryFolder(t), "model");
  const lines: string[] = [];
  return {
    hub,
    directory,
    lines,
    pull({ token = null, ...more } = {}) {
      const run = quietRun();
      const progress = { ...run.progress, log: (line: string) => void lines.push(line) };
      const interrupt = more.interrupt ?? run.interrupt;
      const client = connect({
        url: hub.url,
        token,
        signal: interrupt.signal,
        progress,
        maxTries: 4,
        retryMilliseconds: 1,
        timeoutMilliseconds: 2000,
      });
      const names = { repository: "me/model", revision: "main", directory };
      return pullModel({ hub: client, ...names, isAny: false, progress, interrupt, patience: quick, ...more });
    },
  };
}

function isWhole(directory: string): void {
  assert.deepEqual(readdirSync(directory).sort(), [...goldenNames, "pulled.json"].sort());
  for (const [name, content] of Object.entries(goldenFiles)) {
    assert.ok(readFileSync(join(directory, name)).equals(content), name);
  }
}

describe("a whole pull", () => {
  test("only what is needed, checked, and known again", async (t) => {
    const { hub, directory, pull } = await start(t, { pageSize: 3 });
    const result = await pull();
    isWhole(directory);
    assert.equal(result.commit, mockCommit);
    assert.equal(
      result.numFetched,
      Object.values(goldenFiles).reduce((sum, { length }) => sum + length, 0),
    );
    assert.match(
      pullText(result),
      /4 files.* me\/model at 0123456789ab; .* fetched\nQwen3 text model .*, \d+,\d+ parameters$/,
    );
    assert.ok(hub.requests.every(({ path }) => !/README|run\.py|\.bin|sub/.test(path)));
    assert.deepEqual(JSON.parse(readFileSync(join(directory, "pulled.json"), "utf8")).repository, "me/model");

    const before = hub.requests.length;
    const again = await pull();
    assert.equal(again.numFetched, 0);
    assert.ok(
      hub.requests.slice(before).every(({ path }) => path.startsWith("/api/")),
      "nothing but the listing",
    );
    assert.match(pullText(again), /all of it was there/);
    isWhole(directory);
  });

  test("a damaged file is fetched again, and only that one", async (t) => {
    const { hub, directory, pull } = await start(t);
    await pull();
    const path = join(directory, "model.safetensors");
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    const before = hub.requests.length;
    assert.equal((await pull()).numFetched, bytes.length);
    isWhole(directory);
    const resolved = hub.requests.slice(before).filter(({ path: asked }) => asked.includes("/resolve/"));
    assert.ok(resolved.every(({ path: asked }) => asked.endsWith("/model.safetensors")));
  });

  test("shards that hold only speech parts stay on the hub", async (t) => {
    const index = { weight_map: { "model.norm.weight": "model-1.safetensors", "talker.x": "model-2.safetensors" } };
    const config = JSON.parse(String(readFileSync(join(sharedPath("golden/qwen-omni/omni")!, "config.json"))));
    const files = {
      "config.json": JSON.stringify(config),
      "model.safetensors.index.json": JSON.stringify(index),
      "model-1.safetensors": goldenFiles["model.safetensors"]!,
      "model-2.safetensors": "never asked for",
    };
    const { directory, hub, pull } = await start(t, { files });
    await assert.rejects(pull(), { code: /ERR_CHECKPOINT/ }, "the one shard is no thinker");
    assert.ok(existsSync(join(directory, "model-1.safetensors")));
    assert.ok(!hub.requests.some(({ path }) => path.includes("model-2")));
    const all = await pull({ isAny: true });
    assert.deepEqual([all.left, all.inspection], [[], null]);
    assert.ok(existsSync(join(directory, "model-2.safetensors")));
  });
});

describe("a pull that is disturbed", () => {
  test("connections that break are taken up where they broke, and the bytes are the same", async (t) => {
    const size = goldenFiles["model.safetensors"]!.length;
    const piece = Math.ceil(size / 5);
    const { directory, hub, pull } = await start(t, {
      fault: (path, numBefore) => (path === "/model.safetensors" && numBefore % 2 === 1 ? { cutAfter: piece } : null),
    });
    await pull();
    isWhole(directory);
    const starts = hub.requests
      .filter(({ path, host, range }) => path === "/model.safetensors" && host === "files" && range !== "bytes=0-0")
      .map(({ range }) => Number(/bytes=(\d+)/.exec(range ?? "bytes=0")![1]));
    assert.ok(starts.length >= 4, starts.join());
    assert.deepEqual(
      starts,
      [...starts].sort((a, b) => a - b),
    );
    assert.equal(new Set(starts).size, starts.length, "every one goes on from further on");
  });

  test("stopped by hand, it keeps what is there and goes on from it", async (t) => {
    const controller = new AbortController();
    const { directory, hub, pull } = await start(t, {
      fault: (path, numBefore) => {
        if (path !== "/model.safetensors" || numBefore !== 1) return null;
        setTimeout(() => controller.abort(new Error("stopped")), 100);
        return { stall: true };
      },
    });
    const interrupt = { ...quietRun().interrupt, signal: controller.signal };
    await assert.rejects(pull({ interrupt, patience: { ...quick, stallMilliseconds: 5000 } }), /stopped/);
    assert.ok(!existsSync(join(directory, "config.json")), "not a model yet");
    const [partial] = readdirSync(join(directory, ".pull")).filter((name) => name.endsWith(".part"));
    assert.equal(statSync(join(directory, ".pull", partial!)).size, 1);
    const before = hub.requests.length;
    const size = goldenFiles["model.safetensors"]!.length;
    assert.equal((await pull()).numFetched, size - 1);
    isWhole(directory);
    const ranges = hub.requests.slice(before).map(({ range }) => range);
    assert.ok(ranges.includes(`bytes=1-${size - 1}`));
    assert.ok(!hub.requests.slice(before).some(({ path }) => path.endsWith("tokenizer.json")), "settings were there");
  });

  test("a server that stands still is given up and asked again; one that stays so is named", async (t) => {
    const once = await start(t, {
      fault: (path, numBefore) => (path === "/model.safetensors" && numBefore === 1 ? { stall: true } : null),
    });
    await once.pull();
    isWhole(once.directory);
    const always = await start(t, {
      fault: (path, _, { headers }) =>
        path === "/model.safetensors" && headers.range !== "bytes=0-0" ? { cutAfter: 0 } : null,
    });
    await assert.rejects(always.pull(), {
      code: "ERR_HUB",
      message: /expected \d+ bytes, got .* after 0\. What is there is kept/,
    });
    assert.ok(!existsSync(join(always.directory, "config.json")));
  });

  test("rate limits and hiccups are waited out as the server asks; for ever is not waited", async (t) => {
    const { directory, lines, pull } = await start(t, {
      fault: (path, numBefore) => {
        if (path.startsWith("/api/") && numBefore === 0) return { status: 429, headers: { "retry-after": "0" } };
        if (path.endsWith("tokenizer.json") && numBefore === 0) return { status: 503 };
        return null;
      },
    });
    await pull();
    isWhole(directory);
    assert.match(lines.join("\n"), /answered with a rate limit \(429\); trying again in 0\.0 s/);
    assert.match(lines.join("\n"), /status 503; trying again/);
    const limited = await start(t, { fault: () => ({ status: 429, headers: { "retry-after": "86400" } }) });
    await assert.rejects(limited.pull(), { code: "ERR_HUB", message: /a rate limit \(429\), 1 times/ });
    const down = await start(t, { fault: () => ({ status: 500 }) });
    await assert.rejects(down.pull(), { code: "ERR_HUB", message: /status 500, 4 times/ });
  });

  test("a server that cannot resume is found out", async (t) => {
    const { pull, directory } = await start(t, {
      fault: (path, numBefore) =>
        path === "/model.safetensors" && numBefore > 0
          ? numBefore === 1
            ? { cutAfter: 10 }
            : { ignoreRange: true }
          : null,
    });
    await assert.rejects(pull(), { code: "ERR_HUB", message: /cannot resume/ });
    assert.ok(!existsSync(join(directory, "model.safetensors")));
  });
});

describe("a pull that is refused", () => {
  test("wrong bytes: tried twice, then named; nothing takes its name", async (t) => {
    const once = await start(t, {
      fault: (path, numBefore) => (path === "/model.safetensors" && numBefore === 1 ? { garble: true } : null),
    });
    await once.pull();
    isWhole(once.directory);
    for (const name of ["model.safetensors", "tokenizer.json"]) {
      const { directory, pull } = await start(t, {
        fault: (path) => (path.endsWith(`/${name}`) ? { garble: true } : null),
      });
      await assert.rejects(pull(), {
        code: "ERR_HUB_CHECKSUM",
        message: new RegExp(`me/model/${name}: expected the SHA-256 [0-9a-f]{64}, got another one, twice`),
      });
      assert.ok(!existsSync(join(directory, name)));
      assert.ok(!existsSync(join(directory, "config.json")));
    }
    const small = await start(t, {
      fault: (path) => (path.endsWith("/config.json") ? { garble: true } : null),
      lfsFrom: 1e5,
    });
    await assert.rejects(small.pull(), { code: "ERR_HUB_CHECKSUM", message: /config\.json: expected the git hash/ });
  });

  test("who may not, what is not there, and the token goes nowhere else", async (t) => {
    const token = "hf_topsecret";
    for (const [status, given, text] of [
      [401, null, /got 401\. It does not exist, or it is private or gated: set HF_TOKEN/],
      [403, token, /got 403\. Accept the model's terms/],
    ] as const) {
      const { pull } = await start(t, { fault: () => ({ status, body: `no ${token}` }) });
      await assert.rejects(pull({ token: given }), (error: Error & { code: string }) => {
        assert.equal(error.code, "ERR_HUB_ACCESS");
        assert.match(error.message, text);
        assert.ok(!error.message.includes(token));
        return true;
      });
    }
    const { pull } = await start(t, { fault: () => ({ status: 404 }) });
    await assert.rejects(pull(), {
      code: "ERR_HUB_NOT_FOUND",
      message: /me\/model@main: expected it to exist, got 404/,
    });

    const private_ = await start(t);
    await private_.pull({ token });
    isWhole(private_.directory);
    const { requests } = private_.hub;
    assert.ok(
      requests.filter(({ host }) => host === "hub").every(({ authorization }) => authorization === `Bearer ${token}`),
    );
    const elsewhere = requests.filter(({ host }) => host === "files");
    assert.ok(elsewhere.length > 0 && elsewhere.every(({ authorization }) => authorization === undefined));
    // A listing that sends us to another host for its next page does not get the token there.
    const other = await startMockHub(t, { files: {} });
    const lured = await start(t, { pageSize: 2, nextPage: `${other.url}/api/models/me/model/tree/${mockCommit}` });
    assert.equal((await lured.pull({ token })).inspection?.isComplete, false, "the rest of the listing did not come");
    assert.deepEqual(
      other.requests.map(({ authorization }) => authorization),
      [undefined],
    );
    await assert.rejects(
      start(t).then((one) => one.pull({ token: "nope" })),
      { code: "ERR_HUB_ACCESS", message: /begins with hf_/ },
    );
  });

  test("hostile listings, names and answers", async (t) => {
    const outside = ["../escape.safetensors", "/tmp/escape.json", "..", "sub/../../x.json", "con\u0000fig.json"];
    const hex = "a".repeat(40);
    const extra = outside.map((path) => ({ type: "file", path, size: 3, oid: hex }));
    const harmless = await start(t, { extra });
    await harmless.pull();
    isWhole(harmless.directory);
    assert.deepEqual(readdirSync(join(harmless.directory, "..")), ["model"]);

    const cases: readonly (readonly [Partial<MockHubOptions>, string, RegExp])[] = [
      [{ extra: [{ type: "file", path: "config.json", size: 3, oid: hex }] }, "ERR_HUB_FILES", /twice/],
      [{ listed: { "config.json": { size: -1 } } }, "ERR_HUB_FILES", /size/],
      [{ listed: { "config.json": { oid: "../../x" } } }, "ERR_HUB_FILES", /oid/],
      [{ listed: { "model.safetensors": { lfs: { oid: "x", size: 3 } } } }, "ERR_HUB_FILES", /lfs\.oid/],
      [{ listed: { "config.json": { size: 7 } }, lfsFrom: 1e9 }, "ERR_HUB", /7 bytes as listed, got/],
      [{ extra: [null] }, "ERR_HUB_FILES", /a listing of files/],
      [{ fault: (path) => (path.includes("/tree/") ? { status: 200, body: "<html>" } : null) }, "ERR_HUB", /JSON/],
      [
        { fault: (path) => (path.includes("/revision/") ? { status: 200, body: '{"sha":"../x"}' } : null) },
        "ERR_HUB",
        /40 hexadecimal/,
      ],
      [{ files: { "config.json": "{}", "pytorch_model.bin": "x" } }, "ERR_HUB_PICKLE", /which can run any code/],
    ];
    for (const [options, code, message] of cases) {
      const { directory, pull } = await start(t, options);
      await assert.rejects(pull(), { code, message }, String(message));
      assert.ok(!existsSync(join(directory, "config.json")), String(message));
    }
    const huge = "x".repeat(33 * 2 ** 20);
    const flood = await start(t, { fault: (path) => (path.includes("/tree/") ? { status: 200, body: huge } : null) });
    await assert.rejects(flood.pull(), { code: "ERR_HUB", message: /at most 33554432 bytes/ });
  });

  test("a model of another kind is refused before its weights come", async (t) => {
    const files = { ...goldenFiles, "config.json": JSON.stringify({ model_type: "llama" }) };
    const { directory, hub, pull } = await start(t, { files });
    await assert.rejects(pull(), { code: "ERR_CHECKPOINT_ARCHITECTURE", message: /"llama"/ });
    assert.ok(!hub.requests.some(({ path }) => path.includes("model.safetensors")));
    assert.ok(!existsSync(join(directory, "config.json")));
  });

  test("names that are no repository or revision, and a disk that is too small", async (t) => {
    const { pull, hub } = await start(t);
    for (const repository of ["../x", "a/b/c", "", "http://x/y", "a b", "datasets/..", ".hidden/x"]) {
      await assert.rejects(pull({ repository }), { code: "ERR_HUB_NOT_FOUND" }, repository);
    }
    for (const revision of ["../main", "", "a b", "main?x=1", "-x"]) {
      await assert.rejects(pull({ revision }), { code: "ERR_HUB_NOT_FOUND" }, revision);
    }
    assert.equal(hub.requests.length, 0);
    const big = await start(t, {
      listed: { "model.safetensors": { lfs: { oid: "b".repeat(64), size: 2 ** 52, pointerSize: 1 } } },
    });
    await assert.rejects(big.pull(), {
      code: "ERR_DISK_SPACE",
      message: /4096 TB of free disk for the model's files/,
    });
  });

  test("a folder with something else in it is left alone", async (t) => {
    const { directory, pull } = await start(t);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "config.json"), "mine");
    await assert.rejects(pull(), { code: "ERR_MODEL_EXISTS", message: /a model that was not pulled/ });
    assert.equal(readFileSync(join(directory, "config.json"), "utf8"), "mine");
    unlinkSync(join(directory, "config.json"));
    const record = join(directory, "pulled.json");
    for (const [text, message] of [
      ['{"repository":"you/model","commit":"x","files":[]}', /got you\/model/],
      ['{"repository":"me/model","commit":"x","files":["../../etc/x"]}', /another kind/],
      ["{}", /another kind/],
    ] as const) {
      writeFileSync(record, text);
      await assert.rejects(pull(), { code: "ERR_MODEL_EXISTS", message });
    }
    unlinkSync(record);
    symlinkSync("/tmp", join(directory, ".pull"));
    await assert.rejects(pull(), { code: "ERR_MODEL_EXISTS", message: /got a link/ });
  });

  test("another commit of the same repository takes the old one's place", async (t) => {
    const first = await start(t, { files: { ...goldenFiles, "vocab.json": "{}" } });
    await first.pull();
    assert.ok(existsSync(join(first.directory, "vocab.json")));
    const second = await start(t);
    await second.pull({ directory: first.directory });
    isWhole(first.directory);
  });
});
