// `oppo evidence extract` from files to files: against a good server, one that misbehaves, and through a kill.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { loadSamples } from "../../../src/data/jsonl.ts";
import { drawScene } from "../../../src/data/theatre/draw.ts";
import { annotate } from "../../../src/data/theatre/script.ts";
import { createRandom } from "../../../src/random.ts";
import { readAccounts } from "../../../src/recipes/evidence/accounts.ts";
import { type ExtractRequest, extractEvidence } from "../../../src/recipes/evidence/extract.ts";
import { extractText } from "../../../src/recipes/evidence/extract-text.ts";
import { listenForInterrupt } from "../../../src/run/interrupt.ts";
import { createProgress } from "../../../src/run/progress.ts";
import { accountIn, cueReply, inventedCue } from "../../support/cue-model.ts";
import { allFaults, faultsInTurn, type MockEndpoint, startMockEndpoint } from "../../support/mock-endpoint.ts";
import { repositoryRoot } from "../../support/repository.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const numAccounts = 40;
const outputs = ["cues.jsonl", "cues.statistics.json", "cues.review.html"];

/** Rows of id and text; the texts differ, since equal ones would be asked once. */
function accountsFile(t: TestContext, extra: readonly unknown[] = []): string {
  const file = join(temporaryFolder(t), "accounts.jsonl");
  const rows = Array.from({ length: numAccounts }, (_, seed) => {
    const { reasoning } = annotate(drawScene("train", seed), createRandom(seed));
    return { id: `a${seed}`, text: `${reasoning} take ${seed}.` };
  });
  writeFileSync(file, [...rows, ...extra].map((row) => `${JSON.stringify(row)}\n`).join(""));
  return file;
}

function request(t: TestContext, change: Partial<ExtractRequest> = {}): ExtractRequest & { readonly folder: string } {
  const folder = temporaryFolder(t);
  const interrupt = listenForInterrupt();
  t.after(() => interrupt[Symbol.dispose]());
  const progress = createProgress({ write: () => true });
  const base = { source: { file: accountsFile(t) }, out: join(folder, "cues.jsonl"), endpoint: null, limit: null };
  return { ...base, maxSkipped: null, maxBadRows: 2, numExamples: 10, progress, interrupt, ...change, folder };
}

const endpoint = ({ url }: MockEndpoint, cacheFolder: string) => ({
  ...{ url, model: "m", key: "sk-secret-in-this-test", cacheFolder, concurrency: 4, retryMilliseconds: 1 },
  maxReplyBytes: 100_000,
});

const readAll = (folder: string) => outputs.map((name) => readFileSync(join(folder, name), "utf8"));

describe("extraction by a model", () => {
  test("a server that misbehaves gives the very files of one that does not", async (t) => {
    const file = accountsFile(t);
    const good = await startMockEndpoint(t, { answer: cueReply });
    const bad = await startMockEndpoint(t, {
      answer: cueReply,
      hugeBytes: 200_000,
      // The first asking may also get half a text; when it is asked again it gets all of it, after other faults.
      fault: (numBefore, hash, { messages }) =>
        faultsInTurn(3, messages.length === 2 ? [...allFaults, "half-reply"] : allFaults)(numBefore, hash),
    });
    const runs = [good, bad].map(async (server) => {
      // A good server may be slow on a busy machine; the bad one has replies that never come.
      const limits = server === bad ? { timeoutMilliseconds: 400, maxRetries: 8 } : {};
      const cacheFolder = join(temporaryFolder(t), "cache");
      const own = request(t, { source: { file }, endpoint: { ...endpoint(server, cacheFolder), ...limits } });
      const result = await extractEvidence(own);
      return { result, files: readAll(own.folder) };
    });
    const [one, other] = await Promise.all(runs);
    assert.deepEqual(other!.files, one!.files);
    assert.equal(good.requests.length, numAccounts);
    assert.ok(bad.requests.length > 3 * numAccounts);
    const { statistics } = one!.result;
    assert.equal(statistics.samples, numAccounts);
    assert.deepEqual(statistics.dropped, { "not in the text": numAccounts });
    assert.deepEqual(statistics.extractor, { kind: "model", model: "m", version: "cues-1" });
    assert.ok(statistics.kinds.video.cues > numAccounts && statistics.kinds.audio.cues > numAccounts);
    const text = one!.files.join("");
    assert.ok(!one!.files[0]!.includes(inventedCue) && one!.files[2]!.includes(inventedCue));
    assert.doesNotMatch(text, /sk-secret/);
  });

  test("a run that is killed loses no reply: the next one asks for the rest alone and ends in the same files", async (t) => {
    const file = accountsFile(t);
    const server = await startMockEndpoint(t, { answer: cueReply, delayMilliseconds: 15 });
    const undisturbed = request(t, { source: { file }, endpoint: endpoint(server, join(temporaryFolder(t), "cache")) });
    await extractEvidence(undisturbed);
    const numBefore = server.requests.length;

    const folder = temporaryFolder(t);
    const main = join(repositoryRoot, "build/js/src/cli/main.js");
    const run = () =>
      spawn(
        process.execPath,
        [
          ...[main, "evidence", "extract", "--data", file, "--out", join(folder, "cues.jsonl")],
          ...[
            "--endpoint",
            `${server.url}#m`,
            "--cache",
            join(folder, "cache"),
            "--concurrency",
            "3",
            "--examples",
            "10",
            "--json",
          ],
        ],
        { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env.PATH } },
      );
    const first = run();
    while (server.requests.length < numBefore + 15) {
      assert.equal(first.exitCode, null, "the run ended before it asked");
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    first.kill("SIGKILL");
    await once(first, "exit");
    const cached = readdirSync(join(folder, "cache"))
      .map((name) => readFileSync(join(folder, "cache", name), "utf8").split("\n").length - 2)
      .reduce((sum, count) => sum + count, 0);
    const askedFirst = server.requests.length - numBefore;
    assert.ok(cached >= askedFirst - 3 && cached < numAccounts, `${cached} of ${askedFirst} are kept`);

    const second = run();
    let printed = "";
    second.stdout.on("data", (chunk) => {
      printed += chunk;
    });
    const [code] = await once(second, "close");
    assert.equal(code, 0);
    assert.deepEqual(readAll(folder), readAll(undisturbed.folder));
    const asked = server.requests
      .slice(numBefore)
      .map(({ body }) => createHash("md5").update(accountIn(body)).digest("hex"));
    // Only what was under way when the first run died is asked twice.
    assert.equal(asked.length - new Set(asked).size, askedFirst - cached);
    assert.deepEqual(
      [JSON.parse(printed).endpoint.cached, JSON.parse(printed).endpoint.requests],
      [cached, numAccounts - cached],
    );
  });

  test("refusals and accounts without text are left out by name; too many of them end it, and nothing is asked twice", async (t) => {
    const file = accountsFile(t, [{ id: "empty", text: " " }]);
    const answer = (body: { messages: { content: string }[] }) =>
      /take [1-4]\./.test(accountIn(body)) ? "I'm sorry, I cannot help with that." : cueReply(body);
    const server = await startMockEndpoint(t, { answer });
    const cache = join(temporaryFolder(t), "cache");
    const strict = request(t, { source: { file }, endpoint: endpoint(server, cache), maxSkipped: 4 });
    await assert.rejects(extractEvidence(strict), {
      code: "ERR_EVIDENCE_SKIPPED",
      message: /expected at most 4 accounts without a usable result, got one more/,
    });
    assert.deepEqual(readdirSync(strict.folder), []);
    const numAsked = server.requests.length;
    const patient = request(t, { source: { file }, endpoint: endpoint(server, cache) });
    const { statistics, endpoint: numbers } = await extractEvidence(patient);
    assert.deepEqual(statistics.skipped, {
      "empty text": { count: 1, first: ["empty"] },
      "refused by the model": { count: 4, first: ["a1", "a2", "a3", "a4"] },
    });
    assert.equal(statistics.samples, numAccounts - 4);
    assert.equal(server.requests.length - numAsked, numbers!.requests);
    assert.equal(new Set(server.requests.map(({ body }) => JSON.stringify(body))).size, server.requests.length);
  });
});

describe("extraction by the rules", () => {
  test("samples with a reasoning become samples with cues, media are led to from elsewhere", async (t) => {
    const corpus = temporaryFolder(t);
    mkdirSync(join(corpus, "clips"));
    const samples = ["his brow is furrowed.", "a trembling voice."].map((reasoning, i) => {
      return {
        id: `s${i}`,
        media: `clips/${i}.mp4`,
        labels: ["sad"],
        reasoning,
        cues: [{ kind: "video", text: "old cue" }],
      };
    });
    const file = join(corpus, "train.jsonl");
    writeFileSync(file, samples.map((sample) => `${JSON.stringify(sample)}\n`).join(""));
    const own = request(t, { source: { file } });
    const result = await extractEvidence(own);
    const { samples: written } = await loadSamples(own.out);
    assert.deepEqual(
      written.map(({ media, labels, cues }) => ({ media, labels, cues })),
      [
        { media: "corpus-media/clips/0.mp4", labels: ["sad"], cues: [{ kind: "video", text: "brow is furrowed" }] },
        { media: "corpus-media/clips/1.mp4", labels: ["sad"], cues: [{ kind: "audio", text: "trembling voice" }] },
      ],
    );
    assert.match(extractText(result), /2 of 2 accounts of .*train\.jsonl, by offline rules, no model \(offline-3\)/);
    assert.match(readFileSync(result.files.page, "utf8"), /offline rules, no model/);
    const beside = await readAccounts({ file }, { out: join(corpus, "cues.jsonl"), maxBadRows: 0, limit: 1 });
    assert.deepEqual(
      beside.accounts.map(({ row }) => row.media),
      ["clips/0.mp4"],
    );
  });

  test("a text is material on the page too", async (t) => {
    const file = accountsFile(t, [
      { id: "<b>", text: "<script>x()</script> He keeps shaking his head, a loud voice." },
    ]);
    const own = request(t, { source: { file }, numExamples: 100 });
    await extractEvidence(own);
    const page = readFileSync(join(own.folder, "cues.review.html"), "utf8");
    assert.ok(!page.includes("<script>x"));
    assert.match(
      page,
      /&lt;script&gt;x\(\)&lt;\/script&gt; He keeps <mark class="video" title="shaking his head">shaking his head<\/mark>/,
    );
  });

  test("rows of other keys: the usual ones are known, others are named, and all wrong alike is said once", async (t) => {
    const file = join(temporaryFolder(t), "own.jsonl");
    const texts = ["She seems angry.", "He looks sad.\u2028He smiles."];
    const read = async (rows: readonly object[], fields = {}) => {
      writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
      return readAccounts({ file }, { out: join(temporaryFolder(t), "x.jsonl"), maxBadRows: 2, limit: null, fields });
    };
    const expected = texts.map((text, i) => ({ id: `s${i}`, text }));
    const ids = ({ accounts }: Awaited<ReturnType<typeof read>>) => accounts.map(({ id, text }) => ({ id, text }));
    assert.deepEqual(ids(await read(texts.map((reason, i) => ({ name: `s${i}`, reason })))), expected);
    assert.deepEqual(
      ids(await read(texts.map((reason, i) => ({ name: `s${i}`, reason, video: `${i}.mp4` })))),
      expected,
    );
    const other = texts.map((said, i) => ({ uid: `s${i}`, said }));
    assert.deepEqual(ids(await read(other, { id: "uid", reasoning: "said" })), expected);
    const clips = texts.map((text, i) => ({ id: `s${i}`, text, video: `${i}.mp4` }));
    assert.deepEqual(ids(await read(clips)), expected, "a clip in passing makes no sample of an account");
    await assert.rejects(read([...other, ...other]), {
      message:
        /own\.jsonl:3: all 3 rows so far are wrong in one way: expected "id" and "text" \(or .*got the keys uid, said\. Say which key holds what: --fields id=KEY,reasoning=KEY/,
    });
  });

  test("bad rows are counted and bounded, an empty file is no source", async (t) => {
    const bad = ["no object", { id: "a0", text: "a doubled id" }, { id: "x" }];
    const two = request(t, { source: { file: accountsFile(t, bad.slice(0, 2)) } });
    const { statistics } = await extractEvidence(two);
    assert.equal(statistics.badRows.count, 2);
    assert.match(statistics.badRows.first[1]!, /accounts\.jsonl:42: repeated id "a0"/);
    const three = request(t, { source: { file: accountsFile(t, bad) } });
    await assert.rejects(extractEvidence(three), {
      code: "ERR_EVIDENCE_SOURCE",
      message: /:43: .*expected "text" \(or reasoning, .*got the keys id/s,
    });
    const empty = join(temporaryFolder(t), "empty.jsonl");
    writeFileSync(empty, "");
    await assert.rejects(extractEvidence(request(t, { source: { file: empty } })), { message: /got none/ });
  });
});

test("descriptions of known modalities: SABER's become cues of their modality", async (t) => {
  const root = temporaryFolder(t);
  mkdirSync(join(root, "json"));
  const clip = {
    audio_desc: { speech_content: "Why?", acoustic_feat: "He speaks with a trembling voice." },
    facial_exp_desc: "His brow is furrowed and his trembling voice shows on his lips.",
    sentiment_analysis: "His furrowed brow suggests anger.",
  };
  writeFileSync(join(root, "json", "a.json"), JSON.stringify(clip));
  const source = { dataset: "saber", root, split: null };
  const { files, statistics } = await extractEvidence(request(t, { source }));
  assert.equal(statistics.samples, 1);
  const { samples } = await loadSamples(files.samples);
  const cues = (kind: string) => samples[0]!.cues.filter((cue) => cue.kind === kind).map(({ text }) => text);
  assert.ok(cues("video").includes("trembling voice"), "seen, since the description of the face has it");
  assert.deepEqual(cues("audio"), ["trembling voice"]);
  assert.ok(cues("emotion").length > 0);
});
