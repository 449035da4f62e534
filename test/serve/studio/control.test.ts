// Stopping a run and going on with it from the page: a real training, in a process of its own, that ends after its step as Ctrl-C ends
// it, and goes on where it was; refused without --control.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readStepLog } from "../../../src/run/metrics.ts";
import type { RunList, RunState } from "../../../src/serve/studio/api.ts";
import { type StudioServer, serveStudio } from "../../../src/serve/studio/serve-studio.ts";
import { chromiumPath, desk, launchChromium, noChromium, seriousProblems, visit } from "../../support/chromium.ts";
import { repositoryRoot } from "../../support/repository.ts";
import { type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");
const headers = { authorization: "Bearer t" };
/** A loaded machine takes long to load a model. */
const patience = 180_000;

let theatre: SmallTheatre;
let run: string;
const servers: StudioServer[] = [];

before(async () => {
  theatre = await smallTheatre(2);
  run = join(theatre.root, "runs", "mine");
});
after(async () => {
  for (const server of servers) await server.close();
  theatre[Symbol.dispose]();
});

async function studio(command: readonly string[] | null): Promise<StudioServer> {
  const folders = [join(theatre.root, "runs")];
  const server = await serveStudio({ folders, host: "127.0.0.1", port: 0, token: "t", command, log: () => undefined });
  servers.push(server);
  return server;
}

async function until(is: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + patience;
  while (!(await is())) {
    assert.ok(performance.now() < end, `never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const numSteps = () => (existsSync(join(run, "metrics.jsonl")) ? readStepLog(join(run, "metrics.jsonl")).length : 0);

async function listed({ address }: StudioServer): Promise<{ id: string; state: RunState; hasControl: boolean }> {
  const { runs, hasControl } = (await (await fetch(`${address}/api/runs`, { headers })).json()) as RunList;
  return { id: runs[0]?.id ?? "", state: runs[0]?.state ?? "unknown", hasControl };
}

async function act({ address }: StudioServer, id: string, what: "stop" | "start") {
  const response = await fetch(`${address}/api/runs/${id}/${what}`, { method: "POST", headers });
  const body = (await response.json()) as { pid?: number; error?: { code: string; message: string } };
  return { status: response.status, ...body };
}

test("a training is stopped and gone on with from the page, and only with --control", {
  skip: chromiumPath === null ? noChromium : false,
}, async () => {
  const small = ["promptsPerStep=2", "groupSize=2", "maxNewTokens=6", "warmupSteps=0", "checkpointEvery=1"];
  const words = ["train", "--model", theatre.freshModel(1), "--data", theatre.samplesFile, "--run", run];
  const settings = [...small.flatMap((one) => ["--set", one]), "--steps", "100000"];
  const training = spawn(process.execPath, [main, ...words, ...settings], { stdio: "ignore" });
  const ended = once(training, "exit");
  try {
    await until(() => numSteps() >= 2, "two steps");
    const [watching, ruling] = [await studio(null), await studio([process.execPath, main])];
    await until(async () => (await listed(ruling)).state === "running", "a run in the list");
    const { id } = await listed(watching);
    assert.equal((await listed(watching)).hasControl, false);
    for (const what of ["stop", "start"] as const) {
      const refused = await act(watching, id, what);
      assert.deepEqual([refused.status, refused.error?.code], [403, "ERR_STUDIO_CONTROL"]);
    }
    assert.equal(training.exitCode, null, "without the flag it runs on");
    const again = await act(ruling, id, "start");
    assert.deepEqual([again.status, again.error?.code], [400, "ERR_STUDIO_CONTROL"]);

    const browser = await launchChromium();
    try {
      const context = await browser.newContext();
      for (const { link } of [watching, ruling]) {
        const page = await context.newPage();
        await page.goto(link);
        await page.close();
      }
      const open = (server: StudioServer) =>
        visit(context, `${server.address}/#/runs/${id}`, { viewport: desk, allowed: /./, timeout: patience });
      const bare = await open(watching);
      await bare.page.waitForSelector(".chart canvas");
      assert.equal(await bare.page.getByRole("button", { name: /^Stop/ }).count(), 0);
      await bare.page.close();
      const { page, complaints } = await open(ruling);
      await page.getByRole("button", { name: /^Stop/ }).press("Enter");
      await page.waitForSelector(`text=Process ${training.pid} was asked to end after its step.`);
      await ended;
      const stoppedAt = numSteps();
      await page.getByRole("button", { name: /^Go on with/ }).press("Enter");
      await until(() => numSteps() > stoppedAt, "more steps");
      assert.deepEqual(
        readStepLog(join(run, "metrics.jsonl")).map(({ step }) => step),
        Array.from({ length: numSteps() }, (_, step) => step),
        "where it was, no step twice",
      );
      await page.getByRole("button", { name: /^Stop/ }).waitFor();
      assert.deepEqual(await seriousProblems(page), []);
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
    }
    const stopped = await act(ruling, id, "stop");
    assert.equal(stopped.status, 200);
    await until(async () => (await listed(ruling)).state === "stopped", "the second process ends");
    assert.match(readFileSync(join(run, "studio.log"), "utf8"), /going on after step/);
    const twice = await act(ruling, id, "stop");
    assert.deepEqual([twice.status, twice.error?.code], [400, "ERR_STUDIO_CONTROL"]);
  } finally {
    if (training.exitCode === null) training.kill("SIGKILL");
    if (existsSync(join(run, "run.lock"))) {
      const { pid } = JSON.parse(readFileSync(join(run, "run.lock"), "utf8")) as { pid: number };
      if (pid !== training.pid) process.kill(pid, "SIGKILL");
    }
  }
});
