// Every choice of an embedder: what it opens, what it remembers, what it says, what it refuses.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { chooseEmbedder } from "../../src/corpus/corpus-embedder.ts";
import { cueStage } from "../../src/corpus/cue-stage.ts";
import { defaultAccess, openEmbedder } from "../../src/corpus/open-embedder.ts";
import { CLAUSE_INSTRUCTION, queryText } from "../../src/evidence/instructed-embedder.ts";
import { loadTextEmbedder } from "../../src/models/qwen-text/embedder.ts";
import { numLiveTensors } from "../../src/tensor/index.ts";
import { startMockEndpoint } from "../support/mock-endpoint.ts";
import { quietRun } from "../support/quiet-run.ts";
import { testSample } from "../support/rollouts.ts";
import { sharedPath } from "../support/shared.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const checkpoint = sharedPath("golden/qwen-omni/qwen3_embed")!;

describe("qwen3:DIR", () => {
  test("clauses are queries, cues are documents, as the model's own embedder has them", async () => {
    const before = numLiveTensors();
    {
      using opened = await openEmbedder(`qwen3:${checkpoint}`);
      const { embedder, notes } = opened;
      assert.match(
        notes.join("\n"),
        /qwen3_embed \(qwen3-embedding-64-.*64 numbers.*\n.*clauses with the instruction "Given/,
      );
      assert.deepEqual([embedder.isAsymmetric, embedder.dimension, opened.isSlow], [true, 64, true]);
      using plain = loadTextEmbedder(checkpoint);
      assert.deepEqual(await embedder.embed(["a smile"], "cue"), plain.embed(["a smile"]));
      assert.deepEqual(
        await embedder.embed(["a smile"], "clause"),
        plain.embed([queryText(CLAUSE_INSTRUCTION, "a smile")]),
      );
      // negative control: the two differ
      assert.notDeepEqual(await embedder.embed(["a smile"], "clause"), plain.embed(["a smile"]));

      using alike = await openEmbedder(`qwen3:${checkpoint}`, {
        ...defaultAccess,
        clauseInstruction: "",
        dimension: 32,
      });
      assert.notEqual(alike.embedder.isAsymmetric, true);
      assert.equal(alike.embedder.dimension, 32);
      assert.match(alike.notes.join("\n"), /clauses and cues alike/);
    }
    assert.equal(numLiveTensors(), before);
  });

  test("cue vectors are kept on disk and found again, bit for bit; clauses are not kept", async (t) => {
    const cacheFolder = temporaryFolder(t);
    const access = { ...defaultAccess, cacheFolder };
    const cues = ["a bright smile", "a loud voice"];
    let first: Float32Array;
    {
      using opened = await openEmbedder(`qwen3:${checkpoint}`, access);
      first = await opened.embedder.embed(cues);
      await opened.embedder.embed(["she smiles"], "clause");
    }
    const [segment] = readdirSync(cacheFolder);
    assert.equal(readdirSync(cacheFolder).length, 1, segment);
    {
      using opened = await openEmbedder(`qwen3:${checkpoint}`, access);
      assert.deepEqual(await opened.embedder.embed(cues), first);
      assert.equal(readdirSync(cacheFolder).length, 1, "nothing new was kept");
      await opened.embedder.embed(["wide eyes"]);
      assert.equal(readdirSync(cacheFolder).length, 2);
    }
  });

  test("a corpus' cues are embedded at the start, and what is chosen remembers clauses in memory", async () => {
    const samples = ["a", "b"].map((id) => testSample(id, { cues: [{ kind: "video", text: `cue ${id}` }] }));
    const seen: string[] = [];
    const { progress, interrupt } = quietRun();
    const onCues = cueStage(progress, interrupt);
    using opened = await chooseEmbedder(samples, null, {
      embedder: `qwen3:${checkpoint}`,
      similarityThreshold: 0.5,
      onCues: async (done, total) => {
        seen.push(`${done}/${total}`);
        await onCues(done, total);
      },
    });
    assert.deepEqual(seen, ["2/2"]);
    const once = await opened.embedder.embed(["she smiles"], "clause");
    assert.deepEqual(await opened.embedder.embed(["she smiles"], "clause"), once);
    assert.equal((opened.embedder as unknown as { numEmbedded: number }).numEmbedded, 3);
  });

  test("a run that is stopped while cues are embedded leaves no model behind", async () => {
    const before = numLiveTensors();
    const samples = [testSample("a", { cues: [{ kind: "video", text: "x" }] })];
    const options = {
      embedder: `qwen3:${checkpoint}`,
      similarityThreshold: 0.5,
      onCues: () => Promise.reject(new Error("stopped")),
    };
    await assert.rejects(chooseEmbedder(samples, null, options), /stopped/);
    assert.equal(numLiveTensors(), before);
  });
});

describe("endpoint:URL#MODEL", () => {
  const vector = (text: string) => [text.length, 4];

  test("vectors of a server; Qwen3-Embedding gets the instruction, others as they are told", async (t) => {
    const { url, requests } = await startMockEndpoint(t, { vector });
    const sent = () => requests.flatMap(({ body }) => body.input as string[]);
    {
      using opened = await openEmbedder(`endpoint:${url}#bge-m3`);
      assert.deepEqual([...(await opened.embedder.embed(["abc"], "clause"))], [Math.fround(0.6), Math.fround(0.8)]);
      assert.equal(opened.embedder.name, "endpoint-bge-m3-2");
      assert.match(opened.notes.join("\n"), /bge-m3 at http:.*\n.*without an instruction/);
      assert.deepEqual(sent(), ["joy", "abc"]);
    }
    using opened = await openEmbedder(`endpoint:${url}#Qwen/Qwen3-Embedding-0.6B`);
    await opened.embedder.embed(["abc"], "clause");
    assert.equal(sent().at(-1), queryText(CLAUSE_INSTRUCTION, "abc"));
    await opened.embedder.embed(["abc"]);
    assert.equal(sent().at(-1), "abc");
    using told = await openEmbedder(`endpoint:${url}#bge-m3`, { ...defaultAccess, clauseInstruction: "Find" });
    await told.embedder.embed(["abc"], "clause");
    assert.equal(sent().at(-1), "Instruct: Find\nQuery:abc");
  });

  test("keeps cues only in training, everything otherwise; the key goes to the server and nowhere else", async (t) => {
    const { url, requests } = await startMockEndpoint(t, { vector });
    for (const keeps of ["cues", "all"] as const) {
      const access = { ...defaultAccess, cacheFolder: temporaryFolder(t), keeps, client: { key: "sk-verysecret" } };
      const ask = async () => {
        const before = requests.length;
        using opened = await openEmbedder(`endpoint:${url}#m`, access);
        await opened.embedder.embed(["a cue"], "cue");
        await opened.embedder.embed(["a clause"], "clause");
        assert.ok(![opened.embedder.name, ...opened.notes].join().includes("secret"));
        return requests.length - before;
      };
      assert.equal(await ask(), 3, "dimension, cue, clause");
      assert.equal(await ask(), keeps === "all" ? 0 : 2, keeps);
    }
    assert.equal(requests[0]!.authorization, "Bearer sk-verysecret");
  });

  test("a server that is not there fails at once", async () => {
    const access = { ...defaultAccess, client: { key: null, maxRetries: 0 } };
    await assert.rejects(openEmbedder("endpoint:http://127.0.0.1:9/v1#m", access), { code: "ERR_ENDPOINT" });
  });
});

test("what is no choice is refused", async () => {
  for (const choice of [
    "",
    "qwen3",
    "qwen3:",
    "endpoint:http://x/v1",
    "endpoint:#m",
    "gpt:x",
    "theatre:x",
    "builtin:",
  ]) {
    await assert.rejects(openEmbedder(choice), {
      code: "ERR_EMBEDDER",
      message: /expected theatre, builtin:BANK\.json, qwen3:DIR or endpoint:URL#MODEL/,
    });
  }
  await assert.rejects(openEmbedder(`qwen3:${join(checkpoint, "nowhere")}`), { code: "ERR_CHECKPOINT_MISSING" });
});

test("rows without a cue need no embedder: nothing is like anything", async () => {
  const samples = [testSample("a", { labels: ["sad"] }), testSample("b", { labels: ["happy"] })];
  using opened = await chooseEmbedder(samples, null, { embedder: "auto", similarityThreshold: 0.5 });
  assert.deepEqual([opened.embedder.name, opened.isSlow], ["none", false]);
  assert.deepEqual(await opened.embedder.embed(["he weeps", "he laughs"], "clause"), new Float32Array(2));
  assert.match(opened.notes.join(), /no sample has a cue/);
});
