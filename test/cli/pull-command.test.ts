// `oppo pull` from the outside: the environment names hub and token, Ctrl-C keeps what is there, the token is never shown.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startMockHub } from "../support/mock-hub.ts";
import { repositoryRoot } from "../support/repository.ts";
import { sharedPath } from "../support/shared.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");
const golden = sharedPath("golden/qwen-omni/qwen3_embed")!;
const names = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(golden, name))]));
const token = "hf_topsecret";

async function oppo(
  cwd: string,
  hub: string,
  args: readonly string[],
  whenSaid?: { text: RegExp; signal: NodeJS.Signals },
) {
  const env = { ...process.env, HF_ENDPOINT: hub, HF_TOKEN: token };
  const child = spawn(process.execPath, [main, "pull", ...args], { cwd, env });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => {
    stdout += data;
  });
  child.stderr.on("data", (data) => {
    stderr += data;
    if (whenSaid?.text.test(stderr)) setTimeout(() => child.kill(whenSaid.signal), 500);
  });
  const status = await new Promise((resolve) => child.on("close", resolve));
  assert.ok(!`${stdout}${stderr}`.includes(token));
  return { status, stdout, stderr };
}

test("a model by its name, interrupted and taken up again", async (t) => {
  const cwd = temporaryFolder(t);
  let isStalling = true;
  const hub = await startMockHub(t, {
    files,
    fault: (path, numBefore) => (isStalling && path === "/model.safetensors" && numBefore > 0 ? { stall: true } : null),
  });
  const stopped = await oppo(cwd, hub.url, ["me/model"], { text: /settings \(MB\)/, signal: "SIGINT" });
  assert.equal(stopped.status, 130, stopped.stderr);
  assert.match(stopped.stderr, /\[ERR_INTERRUPTED\]/);
  isStalling = false;
  const { status, stdout, stderr } = await oppo(cwd, hub.url, ["me/model"]);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^models\/model: 4 files, .* of me\/model at 0123456789ab; .* fetched\nQwen3 text model/);
  assert.deepEqual(readdirSync(join(cwd, "models/model")).sort(), [...names, "pulled.json"].sort());
  const again = await oppo(cwd, hub.url, ["me/model", "--json", "--dir", "models/model"]);
  assert.equal(JSON.parse(again.stdout).numFetched, 0);
});

test("a refusal is one sentence and a code", async (t) => {
  const cwd = temporaryFolder(t);
  const hub = await startMockHub(t, { files, fault: () => ({ status: 401, body: token }) });
  const { status, stderr } = await oppo(cwd, hub.url, ["me/model"]);
  assert.equal(status, 1);
  assert.match(stderr, /oppo: me\/model@main: expected the right to read it, got 401\. .*\[ERR_HUB_ACCESS\]\n$/);
});
