// The commands that serve, seen from the outside: what they print, that they answer, how they stop, what wrong use is told.
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { tokenOf } from "../../src/cli/base/serving.ts";
import { repositoryRoot } from "../support/repository.ts";
import { type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");

/** A bare machine need not have it. */
const withoutCurl = spawnSync("curl", ["--version"]).error === undefined ? false : "no curl here";

let theatre: SmallTheatre;
before(async () => {
  theatre = await smallTheatre(2);
});
const started: ChildProcess[] = [];
after(() => {
  // A server that a failed test left would keep this file from ending.
  for (const child of started) child.kill("SIGKILL");
  theatre[Symbol.dispose]();
});

interface Served {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
}

/** Starts a server and waits for its last line. */
async function serve(lastLine: RegExp, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Served> {
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, [main, "serve", ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  started.push(child);
  const lines: string[] = [];
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lastLine.test(line)) return { child, lines };
  }
  throw new Error(`it ended: ${errors}`);
}

async function stop({ child }: Served): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
  child.kill("SIGTERM");
  return await ended;
}

describe("oppo serve reward", () => {
  test("says what it serves, scores a sample of the corpus, stops when asked to", async () => {
    const served = await serve(/^stop/, ["reward", "--data", theatre.samplesFile, "--port", "0"]);
    const screen = served.lines.join("\n");
    assert.match(screen, /^serving +R = 1 accuracy \+ 1 format \+ 0\.5 omni, delta 0\.5\n/);
    assert.match(
      screen,
      /\ncues +of 2 samples by id, or with the request\nembedder: the theatre's .*\n.*theatre's wheel\n/,
    );
    const address = /http:\/\/127\.0\.0\.1:\d+/.exec(screen)![0];
    const sample = theatre.samples[0]!;
    const completion = `<think>${sample.cues.map(({ text }) => text).join(". ")}.</think><answer>${sample.labels.join(", ")}</answer>`;
    const answer = await fetch(`${address}/v1/rewards`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ items: [{ sample: sample.id, completion }] }),
    });
    const { items } = (await answer.json()) as { items: { parts: Record<string, number> }[] };
    const { accuracy, format, omni } = items[0]!.parts;
    const numKinds = new Set(sample.cues.map(({ kind }) => kind)).size;
    assert.deepEqual([accuracy, format], [1, 1]);
    // Every cue is said in its own words.
    assert.ok(Math.abs(omni! - numKinds) < 0.01, `${omni} of ${numKinds}`);
    assert.equal(await stop(served), 0);
  });

  test("the example that it prints works", { skip: withoutCurl }, async () => {
    const served = await serve(/^stop/, ["reward", "--embedder", "theatre", "--port", "0"]);
    const [, command] = /^try +([\s\S]*)\nstop/m.exec(served.lines.join("\n"))!;
    const { stdout, status } = spawnSync("bash", ["-c", command!], { encoding: "utf8" });
    assert.equal(status, 0);
    assert.equal(JSON.parse(stdout).rewards.length, 1, stdout);
    assert.equal(await stop(served), 0);
  });
});

describe("oppo serve model", () => {
  test("says what it serves and within which limits; the example works, with its token", async () => {
    const model = theatre.freshModel(1);
    const token = { OPPO_TEST_TOKEN: "s3cret" };
    const args = ["model", model, "--port", "0", "--token-env", "OPPO_TEST_TOKEN", "--max-new-tokens", "40"];
    const served = await serve(/^stop/, args, token);
    const screen = served.lines.join("\n");
    assert.match(
      screen,
      /^serving +fresh-1: Qwen2\.5-Omni thinker, [\d,]+ parameters, float32\naddress .*bearer token/,
    );
    assert.match(screen, /\nlimits +32768 tokens of context, 40 new, batches of 32, queue of 128, bodies of 64 MB\n/);
    assert.doesNotMatch(screen, /s3cret/);
    const [, command] = /^try +([\s\S]*)\nstop/m.exec(screen)!;
    const env = { ...process.env, ...token };
    if (withoutCurl === false) {
      const { stdout } = spawnSync("bash", ["-c", command!], { encoding: "utf8", env });
      assert.equal(JSON.parse(stdout).choices.length, 1, stdout);
    }
    assert.equal(await stop(served), 0);
  });

  test("with --json it prints one line", async () => {
    const served = await serve(/./, ["model", theatre.freshModel(1), "--port", "0", "--json", "--name", "mine"]);
    const { address, model, maxContext } = JSON.parse(served.lines[0]!);
    assert.deepEqual([model, maxContext], ["mine", 32768]);
    assert.equal((await fetch(`${address}/health`)).status, 200);
    assert.equal(await stop(served), 0);
  });
});

test("wrong use is one sentence with a code", () => {
  const oppo = (...args: string[]) => spawnSync(process.execPath, [main, "serve", ...args], { encoding: "utf8" });
  assert.match(oppo("model", "/nowhere").stderr, /\[ERR_CHECKPOINT_MISSING\]/);
  assert.match(oppo("reward").stderr, /Give --data, or an --embedder that needs no corpus\. \[ERR_REWARD_EMBEDDER\]/);
  assert.match(oppo("reward", "--embedder", "theatre", "--host", "192.0.2.1").stderr, /\[ERR_SERVER_ADDRESS\]/);
  assert.equal(oppo("reward", "--threshold", "1").status, 2);
  assert.match(
    oppo("reward", "--weight", "omni=x").stderr,
    /expected one of accuracy, format, omni, label, tags with a number/,
  );
  assert.equal(tokenOf({ tokenEnv: null }), null);
  assert.throws(() => tokenOf({ tokenEnv: "OPPO_NO_SUCH_TOKEN" }), { code: "ERR_TOKEN_EMPTY" });
});
