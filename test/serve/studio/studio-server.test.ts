// The studio's JSON over HTTP: who is let in, runs, curves, groups, clips, changes; and hostile folders.
import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { GroupDetail, GroupPage, RunDetail, RunList, SeriesAnswer } from "../../../src/serve/studio/api.ts";
import { parseRange } from "../../../src/serve/studio/media-response.ts";
import { type ServeStudioOptions, type StudioServer, serveStudio } from "../../../src/serve/studio/serve-studio.ts";
import { groupRow, line, makeRun, metricsRow } from "../../support/studio-runs.ts";

const token = "a-token-of-the-test";

interface Opened {
  readonly folder: string;
  readonly server: StudioServer;
  readonly faults: string[];
  /** Not before runs that were just made are found. */
  ask<T>(path: string, status?: number): Promise<T>;
}

async function withStudio(
  body: (opened: Opened) => Promise<void>,
  options: Partial<ServeStudioOptions> = {},
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "oppo-studio-"));
  const faults: string[] = [];
  const log = (text: string) => faults.push(text);
  const server = await serveStudio({
    folders: [folder],
    host: "127.0.0.1",
    port: 0,
    token,
    command: null,
    log,
    ...options,
  });
  const ask = async <T>(path: string, status = 200) => {
    if (path === "/api/runs") await new Promise((resolve) => setTimeout(resolve, 300));
    const response = await fetch(server.address + path, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(response.status, status, `${path}: ${response.status}`);
    return (await response.json()) as T;
  };
  try {
    await body({ folder, server, faults, ask });
    assert.deepEqual(faults, []);
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const idOf = ({ runs }: RunList, name: string) => runs.find((run) => run.name.endsWith(name))!.id;
const code = (body: unknown) => (body as { error: { code: string } }).error.code;

describe("who is let in", () => {
  test("the link's token becomes a cookie; without either nothing is told", () =>
    withStudio(async ({ server }) => {
      const get = (path: string, headers: Record<string, string> = {}) =>
        fetch(server.address + path, { headers, redirect: "manual" });
      for (const path of ["/", "/app.js", "/api/runs", "/metrics", "/api/changes"]) {
        assert.equal((await get(path)).status, 401, path);
      }
      assert.equal((await get("/?token=wrong")).status, 401);
      const first = await get(`/?token=${token}`);
      assert.equal(first.status, 303);
      assert.equal(first.headers.get("location"), "/");
      const cookie = first.headers.get("set-cookie")!;
      assert.match(cookie, /^oppo-studio-\d+=a-token-of-the-test; .*HttpOnly; SameSite=Strict$/);
      const page = await get("/", { cookie: cookie.split(";")[0]! });
      assert.equal(page.status, 200);
      assert.match(
        page.headers.get("content-security-policy")!,
        /default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/,
      );
      assert.equal(page.headers.get("x-content-type-options"), "nosniff");
      assert.match(await page.text(), /<div id="app">/);
      assert.equal((await get("/health")).status, 200);
    }));

  test("a page from elsewhere: another host's name, another origin", () =>
    withStudio(async ({ server, folder }) => {
      makeRun(folder, "run", { steps: 1 });
      const { port } = new URL(server.address);
      const send = async (method: string, path: string, headers: Record<string, string>) => {
        const sent = request({
          host: "127.0.0.1",
          port,
          method,
          path,
          headers: { authorization: `Bearer ${token}`, ...headers },
        });
        sent.end();
        const [response] = await once(sent, "response");
        response.resume();
        return response.statusCode;
      };
      assert.equal(await send("GET", "/api/runs", { host: "evil.example" }), 403);
      assert.equal(await send("GET", "/api/runs", { host: `localhost:${port}` }), 200);
      assert.equal(await send("POST", "/api/runs/x/stop", { origin: "http://evil.example" }), 403);
    }));

  test("without --control nothing is stopped", () =>
    withStudio(async ({ server }) => {
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`${server.address}/api/runs/x/stop`, { method: "POST", headers });
      assert.equal(response.status, 403);
      assert.equal(code(await response.json()), "ERR_STUDIO_CONTROL");
    }));
});

describe("runs", () => {
  test("are listed with what they are, and their curves are sent on from where one stands", () =>
    withStudio(async ({ folder, ask }) => {
      const path = makeRun(folder, "demo/arms/oppo/seed-0", { steps: 30, wantedSteps: 40 });
      makeRun(folder, "whole", { steps: 5, preset: "baseline", groups: 0 });
      const list = await ask<RunList>("/api/runs");
      assert.equal(list.runs.length, 2);
      const run = list.runs.find(({ name }) => name.endsWith("demo/arms/oppo/seed-0"))!;
      assert.deepEqual(
        [run.preset, run.shape, run.state, run.numSteps, run.wantedSteps],
        ["oppo", "train", "stopped", 30, 40],
      );
      assert.equal(list.runs.find(({ name }) => name.endsWith("whole"))!.state, "finished");
      const detail = await ask<RunDetail>(`/api/runs/${run.id}`);
      assert.equal(detail.settings["reward.similarityThreshold"], "0.5");
      assert.ok(detail.metrics.includes("rewards/omni/mean"));
      const series = `/api/runs/${run.id}/series?names=reward,kl`;
      const all = await ask<SeriesAnswer>(series);
      assert.equal(all.steps.length, 30);
      assert.equal(all.values.kl![29], 0.029);
      appendFileSync(join(path, "metrics.jsonl"), line(metricsRow(30)));
      const more = await ask<SeriesAnswer>(`${series}&generation=${all.generation}&from=30`);
      assert.deepEqual([more.start, more.steps], [30, [30]]);
      // another generation is sent whole
      assert.equal((await ask<SeriesAnswer>(`${series}&generation=7:1&from=30`)).start, 0);
    }));

  test("a half-written line, a broken one, a configuration that is none: shown as what they are", () =>
    withStudio(async ({ folder, ask }) => {
      const path = makeRun(folder, "odd", { steps: 3, groups: 0 });
      appendFileSync(join(path, "metrics.jsonl"), 'nonsense\n{"step":3,"rew');
      writeFileSync(join(path, "config.yaml"), "steps: [1\n");
      const list = await ask<RunList>("/api/runs");
      assert.match(list.runs[0]!.problems[0]!, /config\.yaml/);
      assert.equal(list.runs[0]!.numSteps, 3);
      const { logs } = await ask<RunDetail>(`/api/runs/${list.runs[0]!.id}`);
      assert.deepEqual(logs[0], {
        name: "metrics.jsonl",
        numRows: 3,
        halfWritten: 14,
        numBroken: 1,
        firstBroken: "line 4: not JSON",
      });
    }));

  test("a run that was deleted while it is open is told", () =>
    withStudio(async ({ folder, ask }) => {
      const path = makeRun(folder, "gone", { steps: 3 });
      const id = idOf(await ask<RunList>("/api/runs"), "gone");
      await ask(`/api/runs/${id}`);
      rmSync(path, { recursive: true });
      assert.equal(code(await ask(`/api/runs/${id}`, 404)), "ERR_STUDIO_RUN");
      assert.equal(code(await ask(`/api/runs/${id}/rollouts/0`, 404)), "ERR_STUDIO_RUN");
    }));

  test("changes are told while somebody watches", () =>
    withStudio(async ({ folder, server, ask }) => {
      const path = makeRun(folder, "live", { steps: 3 });
      const id = idOf(await ask<RunList>("/api/runs"), "live");
      const gone = new AbortController();
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`${server.address}/api/changes`, { headers, signal: gone.signal });
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      assert.match((await reader.read()).value!, /event: (beat|change)/);
      const start = performance.now();
      appendFileSync(join(path, "metrics.jsonl"), line(metricsRow(3)));
      let text = "";
      while (!text.includes(`"${id}":["metrics.jsonl"]`)) text += (await reader.read()).value!;
      assert.ok(performance.now() - start < 5000, "told late");
      gone.abort();
    }));
});

describe("rollouts", () => {
  test("in every order, filtered, page by page, and one whole", () =>
    withStudio(async ({ folder, ask }) => {
      makeRun(folder, "run", { steps: 20, groups: 3 });
      const id = idOf(await ask<RunList>("/api/runs"), "run");
      const list = (query: string) => ask<GroupPage>(`/api/runs/${id}/rollouts?${query}`);
      const newest = await list("limit=5");
      assert.deepEqual([newest.total, newest.numGroups, newest.numRollouts, newest.groups.length], [60, 60, 240, 5]);
      assert.equal(newest.groups[0]!.line, 59);
      assert.equal((await list("order=oldest&offset=58&limit=5")).groups.length, 2);
      const lowest = (await list("order=lowest")).groups;
      assert.ok(lowest[0]!.mean < lowest.at(-1)!.mean);
      assert.equal((await list("step=7")).total, 3);
      assert.equal((await list("since=18")).total, 6);
      assert.equal(
        (await list("sample=clip-3&order=broken")).groups.every(({ numBroken }) => numBroken === 1),
        true,
      );
      assert.equal((await list("order=unsupported")).groups[0]!.numUnsupported, 3);
      // rewards rise by .01 a step; a clip comes back every seven steps, the largest span is 19 steps or fewer
      const changed = (await list("order=change")).groups;
      assert.equal(changed.length, 7);
      assert.ok(changed[0]!.change! > 0.1);
      const group = await ask<GroupDetail>(`/api/runs/${id}/rollouts/${newest.groups[0]!.line}`);
      assert.equal(group.rollouts.length, 4);
      assert.equal(group.rollouts[0]!.clauses[0]!.similarity, 0.97);
      assert.deepEqual(group.rollouts[0]!.tokens!.divergence.audio, [[8, 0.8]]);
      assert.equal(group.cues.length, 3);
      assert.match(group.sampleProblem!, /no data file/);
      assert.ok(group.others.length > 1);
      assert.equal(code(await ask(`/api/runs/${id}/rollouts/9999`, 404)), "ERR_STUDIO_GROUP");
      assert.equal(code(await ask(`/api/runs/${id}/rollouts?order=wrong`, 400)), "ERR_REQUEST_FIELD");
    }));

  test("of an older version, hostile or giant: what can be shown is", () =>
    withStudio(async ({ folder, ask }) => {
      const path = makeRun(folder, "old", { steps: 1, groups: 0 });
      const script = "<img src=x onerror=alert(1)>";
      const old = {
        step: 0,
        sample: script,
        rollouts: [{ text: script, wellFormed: true, reward: "much", rewards: {}, clauses: "none" }],
      };
      const rows = [
        line(old),
        line({ step: 1, sample: "x", rollouts: [] }),
        line({ step: 2 }),
        `"${"z".repeat(5_000_000)}"\n`,
        line(groupRow(3, "good")),
      ];
      writeFileSync(join(path, "rollouts.jsonl"), rows.join(""));
      const id = idOf(await ask<RunList>("/api/runs"), "old");
      const page = await ask<GroupPage>(`/api/runs/${id}/rollouts`);
      assert.deepEqual([page.numGroups, page.log.numBroken], [2, 3]);
      const group = await ask<GroupDetail>(`/api/runs/${id}/rollouts/0`);
      assert.deepEqual(
        [group.rollouts[0]!.text, group.rollouts[0]!.reward, group.rollouts[0]!.clauses],
        [script, null, []],
      );
      assert.equal((await ask<GroupDetail>(`/api/runs/${id}/rollouts/4`)).entry.sample, "good");
    }));
});

describe("clips", () => {
  test("come by name, whole or in ranges; nothing outside the data's folder does", () =>
    withStudio(async ({ folder, server, ask }) => {
      const corpus = join(folder, "corpus");
      mkdirSync(corpus);
      const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));
      writeFileSync(join(corpus, "a.mp4"), bytes);
      writeFileSync(join(corpus, "notes.txt"), "secret");
      writeFileSync(join(folder, "secret.mp4"), "secret");
      const outside = mkdtempSync(join(tmpdir(), "oppo-outside-"));
      writeFileSync(join(outside, "secret.mp4"), "secret");
      symlinkSync(join(outside, "secret.mp4"), join(corpus, "link.mp4"));
      const rows = [
        { id: "clip-0", media: "a.mp4", cues: [], labels: ["angry"], subtitle: "no" },
        { id: "clip/1 %2F", media: "a.mp4" },
        { id: "up", media: "../secret.mp4" },
        { id: "link", media: "link.mp4" },
        { id: "text", media: "notes.txt" },
        { id: "none", media: "none.mp4" },
      ];
      writeFileSync(join(corpus, "rl.jsonl"), rows.map(line).join(""));
      makeRun(folder, "run", { steps: 1, groups: 1, data: join(corpus, "rl.jsonl") });
      const id = idOf(await ask<RunList>("/api/runs"), "run");
      const group = await ask<GroupDetail>(`/api/runs/${id}/rollouts/0`);
      assert.deepEqual(group.sample!.labels, ["angry"]);
      const headers = { authorization: `Bearer ${token}` };
      const get = (sample: string, more: Record<string, string> = {}) =>
        fetch(`${server.address}/api/runs/${id}/clips/${encodeURIComponent(sample)}/media`, {
          headers: { ...headers, ...more },
        });
      const whole = await get("clip-0");
      assert.equal(whole.headers.get("content-type"), "video/mp4");
      assert.deepEqual(Buffer.from(await whole.arrayBuffer()), bytes);
      assert.equal((await get("clip/1 %2F")).status, 200);
      const part = await get("clip-0", { range: "bytes=10-19" });
      assert.equal(part.status, 206);
      assert.equal(part.headers.get("content-range"), "bytes 10-19/1000");
      assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(10, 20));
      assert.equal((await get("clip-0", { range: "bytes=5000-" })).status, 416);
      for (const sample of ["up", "link", "text", "none", "nobody", "../secret.mp4"]) {
        assert.equal((await get(sample)).status, 404, sample);
      }
      rmSync(outside, { recursive: true });
    }));

  test("ranges as browsers write them", () => {
    assert.deepEqual(parseRange("bytes=0-", 10), { start: 0, end: 9 });
    assert.deepEqual(parseRange("bytes=-4", 10), { start: 6, end: 9 });
    assert.deepEqual(parseRange("bytes=2-99", 10), { start: 2, end: 9 });
    for (const range of ["bytes=10-", "bytes=-", "items=1-2", "bytes=5-2", "bytes=a-b"])
      assert.equal(parseRange(range, 10), null);
    assert.equal(parseRange("bytes=0-", 0), null);
  });
});

describe("folders", () => {
  test("links are not followed, and what is no folder is refused", () =>
    withStudio(async ({ folder, ask }) => {
      const outside = mkdtempSync(join(tmpdir(), "oppo-outside-"));
      try {
        makeRun(outside, "run", { steps: 2 });
        makeRun(folder, "own", { steps: 2 });
        symlinkSync(join(outside, "run"), join(folder, "linked"));
        cpSync(join(folder, "own", "config.yaml"), join(outside, "config.yaml"));
        const own = join(folder, "own");
        rmSync(join(own, "metrics.jsonl"));
        symlinkSync(join(outside, "run", "metrics.jsonl"), join(own, "metrics.jsonl"));
        const { runs } = await ask<RunList>("/api/runs");
        assert.deepEqual(
          runs.map(({ name, numSteps }) => [name.split("/").at(-1), numSteps]),
          [["own", 0]],
        );
      } finally {
        rmSync(outside, { recursive: true });
      }
      await assert.rejects(
        serveStudio({
          folders: [join(folder, "nothing")],
          host: "127.0.0.1",
          port: 0,
          token,
          command: null,
          log: () => undefined,
        }),
        (error: { code?: string }) => error.code === "ERR_STUDIO_FOLDER",
      );
    }));
});
