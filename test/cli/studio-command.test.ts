// `oppo studio` as a person starts it: its link opens the page, and it stops when asked to.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { newAccessToken } from "../../src/serve/http/access-token.ts";
import { studioSettings } from "../../src/serve/studio/settings.ts";
import { repositoryRoot } from "../support/repository.ts";
import { makeRun } from "../support/studio-runs.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");

test("the link opens the page; Ctrl-C ends it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "oppo-studio-"));
  makeRun(folder, "runs/mine", { steps: 2 });
  const child = spawn(process.execPath, [main, "studio", "--port", "0"], { cwd: folder });
  try {
    const lines: string[] = [];
    for await (const text of createInterface({ input: child.stdout })) {
      lines.push(text);
      if (text.startsWith("stop")) break;
    }
    assert.match(lines[0]!, /^studio +1 run below runs$/);
    const link = /http:\S+/.exec(lines[1]!)![0];
    const opened = await fetch(link, { redirect: "manual" });
    assert.equal(opened.status, 303);
    child.kill("SIGINT");
    const [status] = await once(child, "exit");
    assert.equal(status, 0);
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  }
});

test("tokens are words that may stand in an address, and no two are alike; nothing is controlled unless asked for", () => {
  const tokens = Array.from({ length: 50 }, newAccessToken);
  assert.equal(new Set(tokens).size, 50);
  for (const token of tokens) assert.match(token, /^[\w-]{32}$/);
  assert.deepEqual(studioSettings.parse({}), {
    control: false,
    media: null,
    annotations: null,
    host: "127.0.0.1",
    port: 8300,
  });
});
