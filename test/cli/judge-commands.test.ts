// `oppo train` with a judge, from the outside: what it is asked is kept, what it says is logged, and a judge that is down ends the run.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { readStepLog } from "../../src/run/metrics.ts";
import { startMockEndpoint } from "../support/mock-endpoint.ts";
import { repositoryRoot } from "../support/repository.ts";
import { smallTheatre } from "../support/small-theatre.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");

test("a judged term is paid for and logged; the same run asks nothing twice; a judge that is down is named", async (t) => {
  using theatre = await smallTheatre(4);
  let isDown = false;
  const server = await startMockEndpoint(t, {
    // What is not worth trying again, so that the test need not wait.
    answer: () => (isDown ? { status: 404, body: {} } : JSON.stringify({ better: "first" })),
  });
  const small = [
    "promptsPerStep=2",
    "groupSize=2",
    "maxNewTokens=6",
    "steps=2",
    "reward.judged=[{name: preference, weight: 1}]",
  ];
  const base = ["train", "--model", theatre.freshModel(1), "--data", theatre.samplesFile];
  const args = [...base, ...small.flatMap((item) => ["--set", item])];
  const oppo = (...more: string[]) =>
    new Promise<{ code: unknown; stderr: string }>((resolve) => {
      const env = { ...process.env, OPPO_HOME: join(theatre.root, "home") };
      execFile(process.execPath, [main, ...args, ...more], { cwd: theatre.root, env }, (error, _, stderr) =>
        resolve({ code: error?.code ?? 0, stderr }),
      );
    });
  const judge = ["--judge", `${server.url}#m`, "--cache", "replies"];
  const first = await oppo("--run", "first", ...judge);
  assert.equal(first.code, 0, first.stderr);
  const metrics = readStepLog(join(theatre.root, "first/metrics.jsonl"));
  for (const step of metrics) {
    assert.equal(step["rewards/preference/mean"], 0.5);
    assert.equal(step["rewards/preference/missing"], 0);
  }
  assert.equal(server.requests.length, 4, "two prompts a step, one pair each");
  const again = await oppo("--run", "again", ...judge);
  assert.equal(again.code, 0, again.stderr);
  assert.equal(server.requests.length, 4);

  isDown = true;
  const other = await oppo("--run", "other", "--seed", "5", ...judge);
  assert.equal(other.code, 1);
  assert.match(
    other.stderr,
    /reward term preference: expected at most 0 of a step's 2 judgements to fail.*\[ERR_REWARD_JUDGE\]/,
  );
  const without = await oppo("--run", "without");
  assert.match(without.stderr, /expected a judge for preference, got none.*\[ERR_REWARD_JUDGE\]/);
});
