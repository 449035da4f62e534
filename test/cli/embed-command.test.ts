// `oppo embed` from the outside: a matrix, files, standard input, JSON, a calibration; wrong usage; the key stays hidden.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { startMockEndpoint } from "../support/mock-endpoint.ts";
import { repositoryRoot } from "../support/repository.ts";
import { sharedPath } from "../support/shared.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");
const checkpoint = sharedPath("golden/qwen-omni/qwen3_embed")!;

function oppo(args: readonly string[], options: { cwd?: string; input?: string } = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, "embed", ...args], {
    encoding: "utf8",
    ...options,
  });
  return { status, stdout, stderr };
}

describe("oppo embed", () => {
  test("compares texts in the terminal", () => {
    const { status, stdout, stderr } = oppo(["a bright smile", "a loud voice", "--embedder", "theatre", "--compare"]);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^ +1 +2\n +1 {2}1\.00 {2}0\.00 {2}a bright smile\n +2 {2}0\.00 {2}1\.00 {2}a loud voice\n$/);
  });

  test("a checkpoint, texts of standard input, to a file and as JSON; the same every time", (t) => {
    const cwd = temporaryFolder(t);
    const args = ["first", "--file", "-", "--embedder", `qwen3:${checkpoint}`];
    const written = oppo([...args, "--out", "x.npy"], { cwd, input: "second\n\nthird\n" });
    assert.equal(written.status, 0, written.stderr);
    assert.match(written.stdout, /^x\.npy: 3 x 64, qwen3-embedding-64-\w+\n$/);
    const printed = oppo([...args, "--json", "--compare"], { cwd, input: "second\n\nthird\n" });
    const { texts, vectors, cosines, instruction } = JSON.parse(printed.stdout);
    assert.deepEqual(texts, ["first", "second", "third"]);
    const bytes = readFileSync(join(cwd, "x.npy"));
    const stored = new Float32Array(Uint8Array.from(bytes.subarray(-3 * 64 * 4)).buffer);
    assert.deepEqual(vectors.flat(), [...stored]);
    assert.deepEqual([cosines.length, instruction], [3, null]);
    const query = JSON.parse(oppo([...args, "--json", "--instruction", "Find"], { cwd, input: "" }).stdout);
    assert.notDeepEqual(query.vectors[0], vectors[0]);
    assert.match(oppo(["x", "--embedder", `qwen3:${checkpoint}`, "--dimension", "8"]).stdout, /^1 x 8, /);
  });

  test("wrong usage and bad input end with one sentence", () => {
    const cases: readonly (readonly [args: string[], status: number, code: string])[] = [
      [["x"], 2, "ERR_USAGE"],
      [["--embedder", "theatre"], 1, "ERR_TEXTS"],
      [["x", "--embedder", "nothing"], 1, "ERR_EMBEDDER"],
      [["x", "--embedder", "theatre", "--out", "x.txt"], 1, "ERR_TEXTS"],
      [["x", "--embedder", "theatre", "--instruction", ""], 2, "ERR_USAGE"],
      [["x", "--embedder", `qwen3:${checkpoint}`, "--dimension", "65"], 1, "ERR_EMBEDDER"],
      [["calibrate"], 2, "ERR_USAGE"],
      [["calibrate", "--embedder", "theatre", "--bank", "a", "--data", "b"], 2, "ERR_USAGE"],
    ];
    for (const [args, status, code] of cases) {
      const result = oppo(args);
      assert.equal(result.status, status, args.join(" "));
      assert.match(result.stderr, new RegExp(`^oppo: [^\\n]*\\[${code}\\]\\n$`), args.join(" "));
    }
  });

  test("a server with a key: vectors come, the key is nowhere to be seen", async (t) => {
    const { url, requests } = await startMockEndpoint(t, { vector: (text) => [text.length, 1] });
    const home = temporaryFolder(t);
    const child = spawn(
      process.execPath,
      [main, "embed", "abc", "--embedder", `endpoint:${url}#m`, "--key-env", "MY_KEY", "--json"],
      { env: { ...process.env, MY_KEY: "sk-topsecret", OPPO_HOME: home } },
    );
    let output = "";
    child.stdout.on("data", (data) => {
      output += data;
    });
    child.stderr.on("data", (data) => {
      output += data;
    });
    await new Promise((resolve) => child.on("close", resolve));
    assert.equal(JSON.parse(output).embedder, "endpoint-m-2");
    assert.equal(requests.at(-1)!.authorization, "Bearer sk-topsecret");
    assert.ok(!output.includes("topsecret"));
  });
});

test("oppo embed calibrate writes a record and a page", (t) => {
  const cwd = temporaryFolder(t);
  const args = ["calibrate", "--embedder", `qwen3:${checkpoint}`, "--out", "delta.json", "--page", "delta.html"];
  const { status, stdout, stderr } = oppo(args, { cwd });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /\ndelta +0\.\d\d, 95 % interval 0\.\d\d to 0\.\d\d/);
  assert.match(stdout, /caution +no threshold tells these cues apart well/, "the checkpoint's weights are random");
  const record = JSON.parse(readFileSync(join(cwd, "delta.json"), "utf8"));
  assert.equal(record.source, "paraphrases of the theatre");
  assert.match(readFileSync(join(cwd, "delta.html"), "utf8"), /<div class="cosines" role="img"/);
  assert.deepEqual(JSON.parse(oppo([...args, "--json"], { cwd }).stdout), {
    schema: "oppo.embed-calibrate/1",
    ...record,
  });
});
