// `oppo evidence extract` as a person types it.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { cueReply } from "../support/cue-model.ts";
import { datasetFolder } from "../support/dataset-folder.ts";
import { startMockEndpoint } from "../support/mock-endpoint.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const program = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

function run(...args: string[]) {
  const command = [program, "evidence", "extract", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  return { code: status, output: stdout, errors: stderr };
}

test("a published data set, offline: samples with cues beside their media", (t) => {
  const header = "names,emotions,subtitles,reasons\n";
  const root = datasetFolder(t, {
    "EMER/dataset-v1/gt-eng.csv": `${header}clip_1,angry,get out,"His brow is furrowed. His voice is very loud."\n`,
    "EMER/video/clip_1.mp4": "",
  });
  const out = join(temporaryFolder(t), "cues.jsonl");
  const { code, output } = run(
    "--dataset",
    "emer",
    "--root",
    root,
    "--split",
    "v1",
    "--offline",
    "--out",
    out,
    "--json",
  );
  assert.equal(code, 0);
  const { statistics, endpoint, files } = JSON.parse(output);
  assert.deepEqual([statistics.source, statistics.samples, endpoint], ["EMER v1", 1, null]);
  assert.ok(existsSync(files.statistics) && existsSync(files.page));
  const { id, media, labels, cues } = JSON.parse(readFileSync(out, "utf8"));
  assert.deepEqual([id, labels], ["clip_1", ["angry"]]);
  assert.ok(existsSync(join(out, "..", media)), media);
  assert.deepEqual(cues, [
    { kind: "video", text: "brow is furrowed" },
    { kind: "audio", text: "voice is very loud" },
  ]);
});

test("choices that contradict each other, and accounts of which nothing comes, are one sentence", (t) => {
  const file = join(temporaryFolder(t), "a.jsonl");
  writeFileSync(file, '{"id": "a", "text": ""}\n');
  const out = join(temporaryFolder(t), "out.jsonl");
  const cases: readonly [readonly string[], RegExp][] = [
    [["--offline"], /expected --data, or --dataset with --root.*ERR_EVIDENCE_CHOICE/],
    [["--data", file, "--dataset", "emer", "--root", ".", "--offline"], /got neither or both.*ERR_EVIDENCE_CHOICE/],
    [["--data", file], /expected --endpoint URL#MODEL, or --offline.*ERR_EVIDENCE_CHOICE/],
    [["--data", file, "--endpoint", "http://127.0.0.1:1/v1"], /the one model that it serves.*ERR_ENDPOINT_MODEL/],
    [["--data", file, "--endpoint", "http://me:hunter2@127.0.0.1:1/v1#m"], /a user or password.*ERR_ENDPOINT_URL/],
    [
      ["--data", file, "--offline"],
      /a usable result of some of 1 accounts, got none: 1 empty text.*ERR_EVIDENCE_SKIPPED/,
    ],
  ];
  for (const [args, message] of cases) {
    const { code, errors } = run(...args, "--out", out);
    assert.equal(code, 1, args.join(" "));
    assert.match(errors, message);
    assert.doesNotMatch(errors, /hunter2/);
  }
  assert.ok(!existsSync(out));
  const onto = run("--data", file, "--offline", "--out", file);
  assert.match(onto.errors, /expected another file to write than the one that is read.*ERR_EVIDENCE_CHOICE/);
  assert.equal(readFileSync(file, "utf8"), '{"id": "a", "text": ""}\n');
  assert.match(run("--help").output, /--max-requests[\s\S]*Examples:\n {2}oppo evidence extract/);
});

test("Ctrl-C ends it with what was answered kept; the budget does too, and the same command goes on", async (t) => {
  const server = await startMockEndpoint(t, { answer: cueReply, delayMilliseconds: 20 });
  const folder = temporaryFolder(t);
  const file = join(folder, "a.jsonl");
  const rows = Array.from({ length: 30 }, (_, i) => ({
    id: `a${i}`,
    text: `A furrowed brow and a loud voice, take ${i}.`,
  }));
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const args = [
    ...[program, "evidence", "extract", "--data", file, "--out", join(folder, "cues.jsonl")],
    ...["--endpoint", `${server.url}#m`],
    ...["--cache", join(folder, "cache"), "--concurrency", "2", "--json"],
  ];
  const start = async (more: readonly string[], whenAsked?: number) => {
    const child = spawn(process.execPath, [...args, ...more], { stdio: ["ignore", "pipe", "ignore"] });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    const ended = once(child, "close");
    while (whenAsked !== undefined && server.requests.length < whenAsked) {
      assert.equal(child.exitCode, null, "the command ended before it asked");
      await new Promise((next) => setTimeout(next, 2));
    }
    if (whenAsked !== undefined) child.kill("SIGINT");
    return { code: (await ended)[0], result: JSON.parse(output) };
  };
  const stopped = await start([], 6);
  assert.deepEqual([stopped.code, stopped.result.error.code], [130, "ERR_INTERRUPTED"]);
  const poor = await start(["--max-requests", "5"]);
  assert.deepEqual([poor.code, poor.result.error.code], [1, "ERR_ENDPOINT_BUDGET"]);
  const numBefore = server.requests.length;
  const done = await start([]);
  assert.deepEqual([done.code, done.result.statistics.samples], [0, 30]);
  assert.deepEqual([done.result.endpoint.cached, done.result.endpoint.requests], [numBefore, 30 - numBefore]);
  assert.equal(server.requests.length, 30);
});
