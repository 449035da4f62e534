// The room of data over HTTP: order, decisions that outlive kill -9, two servers on one corpus, what comes out, hostile corpora.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, describe, test } from "node:test";
import { loadSamples } from "../../../src/data/jsonl.ts";
import type {
  CorpusDetail,
  CorpusList,
  DecisionAnswer,
  ReviewedSampleView,
  SamplePage,
} from "../../../src/serve/studio/data/data-api.ts";
import { type ServeStudioOptions, serveStudio } from "../../../src/serve/studio/serve-studio.ts";
import { repositoryRoot } from "../../support/repository.ts";

const main = join(repositoryRoot, "build/js/src/cli/main.js");
const folder = mkdtempSync(join(tmpdir(), "oppo-data-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const smile = { kind: "video", text: "a smile" } as const;
const shout = { kind: "audio", text: "a shout" } as const;
const row = (id: string, more: Record<string, unknown> = {}) =>
  `${JSON.stringify({ id, media: `clips/${id}.mp4`, reasoning: "He shows a smile and gives a shout.", cues: [smile, shout], ...more })}\n`;

let made = 0;
function corpus(lines: readonly string[]): string {
  const place = join(folder, `corpus-${made++}`);
  mkdirSync(join(place, "clips"), { recursive: true });
  writeFileSync(join(place, "train.jsonl"), lines.join(""));
  return join(place, "train.jsonl");
}

interface Asker {
  get<T>(path: string, status?: number): Promise<T>;
  post<T>(path: string, body: unknown, status?: number): Promise<T>;
  text(path: string): Promise<string>;
}

function askerOf(address: string, token: string): Asker {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const send = async (path: string, status: number, init: RequestInit) => {
    const response = await fetch(address + path, { ...init, headers });
    const body = await response.text();
    assert.equal(response.status, status, `${path}: ${body}`);
    return body;
  };
  return {
    get: async (path, status = 200) => JSON.parse(await send(path, status, {})),
    post: async (path, body, status = 200) =>
      JSON.parse(await send(path, status, { method: "POST", body: JSON.stringify(body) })),
    text: (path) => send(path, 200, {}),
  };
}

async function withCorpus(
  file: string,
  body: (ask: Asker, place: string) => Promise<void>,
  options: Partial<ServeStudioOptions> = {},
): Promise<void> {
  const log = (text: string) => assert.fail(text);
  const server = await serveStudio({
    folders: [file],
    host: "127.0.0.1",
    port: 0,
    token: "t",
    command: null,
    log,
    ...options,
  });
  try {
    const ask = askerOf(server.address, "t");
    const { corpora } = await ask.get<CorpusList>("/api/corpora");
    await body(ask, `/api/corpora/${corpora[0]!.id}`);
  } finally {
    await server.close();
  }
}

let numbered = 0;
const decided = (by: string, act: string, sample: string, cue: unknown = smile, more: object = {}) => ({
  ...{ id: `decision-${numbered++}`, by, act, sample, cue },
  ...more,
});
const undo = (by: string) => ({ id: `decision-${numbered++}`, by, act: "undo" });
const idsOf = ({ entries }: SamplePage) => entries.map(({ id }) => id);

describe("order", () => {
  test("disagreements, then the least sure, then what is open, then the rest; a page's order stays while one works", () => {
    const lines = [
      row("done"),
      row("bare", { cues: [] }),
      row("open"),
      row("unsaid", { cues: [{ kind: "video", text: "a green hat" }] }),
      row("unsure", { cues: [{ ...smile, confidence: 0.2 }, shout] }),
      row("disputed"),
    ];
    return withCorpus(corpus(lines), async (ask, place) => {
      const post = (body: unknown) => ask.post<DecisionAnswer>(`${place}/decisions`, body);
      await post(decided("ada", "accept", "done"));
      await post(decided("ada", "accept", "done", shout));
      await post(decided("ada", "accept", "disputed"));
      await post(decided("bo", "reject", "disputed"));
      const page = await ask.get<SamplePage>(`${place}/samples?by=ada`);
      assert.deepEqual(idsOf(page), ["disputed", "unsaid", "unsure", "open", "bare", "done"]);
      assert.deepEqual(page.counts, { disagreed: 1, doubtful: 2, open: 1, bare: 1, done: 1 });
      assert.deepEqual(
        page.entries.map(({ state, confidence }) => [state, confidence]),
        [
          ["disagreed", 1],
          ["doubtful", 0],
          ["doubtful", 0.2],
          ["open", 1],
          ["bare", null],
          ["done", 1],
        ],
      );
      // work goes on; the second page of the same order leaves nothing out
      await post(decided("bo", "accept", "disputed"));
      const rest = await ask.get<SamplePage>(`${place}/samples?by=ada&at=${page.at}&offset=2`);
      assert.deepEqual(idsOf(rest), ["unsure", "open", "bare", "done"]);
      assert.deepEqual(idsOf(await ask.get(`${place}/samples?by=ada`)), [
        "unsaid",
        "unsure",
        "open",
        "disputed",
        "bare",
        "done",
      ]);
      // what has no cues is reviewed when somebody has added what is there
      await post(decided("ada", "add", "bare"));
      assert.ok(idsOf(await ask.get(`${place}/samples?by=ada`)).indexOf("bare") > 2);
      assert.equal((await ask.get<SamplePage>(`${place}/samples?by=ada`)).counts.bare, 0);
      assert.deepEqual(idsOf(await ask.get(`${place}/samples?by=ada&order=corpus&search=un`)), ["unsaid", "unsure"]);
    });
  });
});

describe("decisions", () => {
  test("accept, correct, reject, add, undo; agreement of two; what comes out is read as a corpus", () => {
    const file = corpus([row("a"), row("b"), row("c", { odd: 1.0 })]);
    return withCorpus(file, async (ask, place) => {
      const before = readFileSync(file, "utf8");
      const post = (body: unknown, status?: number) => ask.post<DecisionAnswer>(`${place}/decisions`, body, status);
      await post(decided("ada", "accept", "a"));
      await post(decided("ada", "correct", "a", shout, { to: { kind: "audio", text: "a cry" } }));
      await post(decided("ada", "add", "a", { kind: "emotion", text: "he is happy" }));
      await post(decided("ada", "reject", "b"));
      await post(decided("bo", "accept", "a"));
      await post(decided("bo", "accept", "a", shout));
      const wrong = await post(decided("bo", "accept", "b"));
      assert.equal(wrong.total, 7);
      const { agreement, annotators } = await ask.get<CorpusDetail>(`${place}?by=ada&with=bo`);
      // seen: accept/accept, reject/accept; heard: correct/accept
      assert.deepEqual([agreement!.video.n, agreement!.video.observed, agreement!.video.kappa], [2, 0.5, 0]);
      assert.deepEqual([agreement!.audio.n, agreement!.audio.kappa, agreement!.all.n], [1, 0, 3]);
      assert.deepEqual(
        annotators.map(({ name, numDecisions, numSamples }) => [name, numDecisions, numSamples]),
        [
          ["ada", 4, 2],
          ["bo", 3, 2],
        ],
      );
      assert.deepEqual([(await post(undo("bo"))).sample, (await post(undo("bo"))).sample], ["b", "a"]);
      const view = await ask.get<ReviewedSampleView>(`${place}/sample?id=a&by=ada`);
      assert.deepEqual(
        view.cues.map(({ cue, addedBy, verdicts }) => [
          cue.text,
          addedBy,
          verdicts.map(({ by, act }) => `${by} ${act}`),
        ]),
        [
          ["a smile", [], ["ada accept", "bo accept"]],
          ["a shout", [], ["ada correct"]],
          ["he is happy", ["ada"], ["ada accept"]],
        ],
      );
      assert.equal(view.entry.state, "done");
      const out = join(folder, "out.jsonl");
      writeFileSync(out, await ask.text(`${place}/export?by=ada`));
      const { samples, skipped } = await loadSamples(out);
      assert.deepEqual(skipped, []);
      assert.deepEqual(
        samples.map(({ id, cues }) => [id, cues.map(({ text }) => text)]),
        [
          ["a", ["a smile", "a cry", "he is happy"]],
          ["b", ["a shout"]],
          ["c", ["a smile", "a shout"]],
        ],
      );
      // a row that nobody decided about is the corpus' own, to the byte; and so is the corpus
      assert.equal(readFileSync(out, "utf8").split("\n")[2], before.split("\n")[2]);
      assert.equal(readFileSync(file, "utf8"), before);
    });
  });

  test("what is sent twice counts once; what is none is refused and not written", () => {
    const file = corpus([row("a")]);
    return withCorpus(file, async (ask, place) => {
      const one = decided("ada", "accept", "a");
      assert.equal((await ask.post<DecisionAnswer>(`${place}/decisions`, one)).total, 1);
      assert.equal((await ask.post<DecisionAnswer>(`${place}/decisions`, one)).total, 1);
      for (const body of [
        { ...decided("ada", "accept", "a"), sample: "gone" },
        { ...decided("", "accept", "a") },
        { ...decided("ada", "erase", "a") },
        { ...decided("ada", "correct", "a") },
        { ...decided("ada", "accept", "a"), at: "x" },
        { ...decided("ada", "accept", "a", { ...smile, text: "x".repeat(1000) }) },
        undo("bo"),
      ])
        await ask.post(`${place}/decisions`, body, 400);
      const journal = readFileSync(file.replace(".jsonl", ".annotations.jsonl"), "utf8");
      assert.equal(journal.trimEnd().split("\n").length, 1);
    });
  });

  test("two servers on one corpus see each other's decisions, in the journal's order", () => {
    const file = corpus([row("a")]);
    return withCorpus(file, (one, place) =>
      withCorpus(file, async (other) => {
        const both = [one, other];
        await Promise.all(
          Array.from({ length: 20 }, (_, i) =>
            both[i % 2]!.post(`${place}/decisions`, decided(`n${i}`, "accept", "a")),
          ),
        );
        await one.post(`${place}/decisions`, decided("ada", "accept", "a"));
        await other.post(`${place}/decisions`, decided("ada", "reject", "a"));
        const [first, second] = await Promise.all(
          both.map((ask) => ask.get<ReviewedSampleView>(`${place}/sample?id=a`)),
        );
        assert.deepEqual(first, second);
        assert.equal(first!.cues[0]!.verdicts.length, 21);
        assert.equal(first!.cues[0]!.verdicts.find(({ by }) => by === "ada")!.act, "reject");
      }),
    );
  });

  test("the journal of --annotations lies there; a folder that cannot be written to is told, and nothing is decided", async () => {
    const file = corpus([row("a")]);
    const annotations = join(folder, "notes");
    await withCorpus(
      file,
      async (ask, place) => {
        await ask.post(`${place}/decisions`, decided("ada", "accept", "a"));
        const { summary } = await ask.get<CorpusDetail>(place);
        assert.ok(summary.journal.startsWith(annotations));
        assert.match(readFileSync(summary.journal, "utf8"), /"by":"ada"/);
      },
      { annotations },
    );
    const blocked = join(folder, "a-file");
    writeFileSync(blocked, "");
    const below = { annotations: join(blocked, "below") };
    await assert.rejects(() => withCorpus(file, async () => undefined, below), { code: "ERR_STUDIO_ANNOTATIONS" });
    mkdirSync(file.replace(".jsonl", ".annotations.jsonl"));
    await withCorpus(file, async (ask, place) => {
      const one = decided("ada", "accept", "a");
      const body = await ask.post<{ error: { code: string } }>(`${place}/decisions`, one, 503);
      assert.equal(body.error.code, "ERR_STUDIO_ANNOTATIONS");
      assert.equal((await ask.get<CorpusDetail>(place)).journal.numRows, 0);
    });
  });

  test("what was answered outlives kill -9; half a line is told and does not count", async () => {
    const file = corpus([row("a"), row("b")]);
    const child = spawn(process.execPath, [main, "studio", file, "--port", "0"], { cwd: folder });
    try {
      let link = "";
      for await (const text of createInterface({ input: child.stdout })) {
        link = /http:\S+/.exec(text)?.[0] ?? "";
        if (link !== "") break;
      }
      const { origin, searchParams } = new URL(link);
      const ask = askerOf(origin, searchParams.get("token")!);
      const { corpora } = await ask.get<CorpusList>("/api/corpora");
      const place = `/api/corpora/${corpora[0]!.id}`;
      await ask.post(`${place}/decisions`, decided("ada", "accept", "a"));
      await ask.post(`${place}/decisions`, decided("ada", "reject", "b"));
      child.kill("SIGKILL");
      await once(child, "exit");
    } finally {
      child.kill("SIGKILL");
    }
    appendFileSync(file.replace(".jsonl", ".annotations.jsonl"), '{"version":1,"id":"deci');
    await withCorpus(file, async (ask, place) => {
      const before = await ask.get<CorpusDetail>(place);
      assert.deepEqual([before.journal.numRows, before.journal.halfWritten], [2, 23]);
      await ask.post(`${place}/decisions`, decided("ada", "accept", "b", shout));
      const { journal } = await ask.get<CorpusDetail>(place);
      assert.deepEqual([journal.numRows, journal.numBroken, journal.halfWritten], [3, 1, 0]);
      assert.match(journal.firstBroken!, /line 3: not JSON/);
    });
  });
});

describe("hostile corpora", () => {
  test("paths and links out of the root, giant and broken lines", async () => {
    const outside = join(folder, "secret.mp4");
    writeFileSync(outside, "secret");
    const file = corpus([
      row("up", { media: "../secret.mp4" }),
      row("link", { media: "clips/link.mp4" }),
      row("gone"),
      row("odd/../id?#", { media: "clips/real.mp4" }),
      `${"x".repeat(2_000_000)}\n`,
      "{nothing\n",
      row("gone"),
    ]);
    symlinkSync(outside, join(file, "..", "clips", "link.mp4"));
    writeFileSync(join(file, "..", "clips", "real.mp4"), "no film");
    await withCorpus(file, async (ask, place) => {
      const { numSamples, corpus: log } = await ask.get<CorpusDetail>(place);
      assert.deepEqual([numSamples, log.numBroken], [3, 4]);
      const link = await ask.get<ReviewedSampleView>(`${place}/sample?id=link`);
      assert.equal(link.view.media, null);
      assert.match(link.problem!, /outside/);
      await ask.get(`${place}/clips/link/media`, 404);
      assert.match((await ask.get<ReviewedSampleView>(`${place}/sample?id=gone`)).problem!, /got none/);
      const odd = await ask.get<ReviewedSampleView>(`${place}/sample?id=${encodeURIComponent("odd/../id?#")}`);
      assert.equal(await ask.text(odd.view.media!.path), "no film");
      await ask.get(`${place}/sample?id=up`, 404);
      await ask.get("/api/corpora/none", 404);
    });
  });

  test("a MEP set's clips lie where it says, below the folders that the studio was given", async () => {
    const set = join(folder, "sets", "mine");
    const clips = join(folder, "clips-of-set");
    mkdirSync(set, { recursive: true });
    mkdirSync(clips);
    writeFileSync(join(clips, "a.mp4"), "film");
    writeFileSync(join(set, "mep.json"), "{}");
    writeFileSync(join(set, "media-roots.json"), JSON.stringify({ congruent: "../../clips-of-set", conflict: "/etc" }));
    writeFileSync(join(set, "samples.jsonl"), row("a", { media: "a.mp4" }));
    writeFileSync(join(set, "conflict.jsonl"), "");
    await withCorpus(set, async (ask, place) => {
      assert.match((await ask.get<ReviewedSampleView>(`${place}/sample?id=a`)).problem!, /--media/);
    });
    await withCorpus(
      set,
      async (ask, place) => {
        assert.equal((await ask.get<CorpusDetail>(place)).summary.kind, "mep");
        const { view } = await ask.get<ReviewedSampleView>(`${place}/sample?id=a`);
        assert.equal(await ask.text(view.media!.path), "film");
      },
      { media: [clips] },
    );
  });
});
