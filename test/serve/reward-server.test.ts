// Rewards over HTTP: the numbers of training, with their parts; every trainer's shape; one line for all requests.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { writeSamples } from "../../src/data/jsonl.ts";
import { exactWords } from "../../src/emotion/score.ts";
import { defaultAdvantageOptions } from "../../src/rl/advantage.ts";
import { makeTerms, paperTerms } from "../../src/rl/rewards/terms.ts";
import { scoreGroups } from "../../src/rl/score.ts";
import { type RewardItem, type RewardRules, RewardScorer } from "../../src/serve/reward/reward-scorer.ts";
import { type RewardServer, type ServeRewardOptions, serveReward } from "../../src/serve/reward/serve-reward.ts";
import { testSample, textRollout } from "../support/rollouts.ts";
import { wordEmbedder } from "../support/word-embedder.ts";
import { post } from "./served-model.ts";

const tolerance = 1e-6;
const rules: RewardRules = {
  terms: paperTerms,
  threshold: 0.5,
  empty: "zero",
  requireWellFormed: true,
};
const embedder = wordEmbedder(["furrowed", "brow", "loud", "voice", "angry", "smile"]);
const cues = [
  { kind: "video", text: "a furrowed brow" },
  { kind: "audio", text: "a loud voice" },
  { kind: "emotion", text: "the person is angry" },
] as const;
const texts = {
  perfect: "<think>a furrowed brow. a loud voice. angry.</think><answer>angry</answer>",
  halfBrow: "<think>the video shows a brow. nothing else.</think><answer>angry</answer>",
  empty: "<think>nothing to see here.</think><answer>calm</answer>",
  malformed: "<think>a furrowed brow.</think>",
};

function item(completion: string, isTruncated = false): RewardItem {
  return { completion, isTruncated, cues, labels: ["angry"] };
}

describe("RewardScorer", () => {
  test("gives training's rewards, with the clause behind every cue", async () => {
    const scorer = new RewardScorer(embedder, exactWords.score, rules);
    const items = [...Object.values(texts).map((text) => item(text)), item(texts.perfect, true)];
    const rewards = await scorer.score(items, true);
    const [group] = await scoreGroups(
      [
        {
          sample: testSample("clip", { cues, labels: ["angry"] }),
          rollouts: items.map(({ completion, isTruncated }) => textRollout(completion, isTruncated)),
        },
      ],
      {
        embedder,
        terms: makeTerms(paperTerms, { emotionScore: exactWords.score, similarityThreshold: 0.5 }),
        similarityThreshold: 0.5,
        advantage: defaultAdvantageOptions,
        combination: "sum-then-normalize",
        overlong: null,
        requireWellFormed: true,
      },
    );
    assert.deepEqual(
      rewards.map(({ total, parts }) => ({ total, parts })),
      group!.rollouts.map((one) => one.rewards),
    );
    const [perfect, halfBrow, empty, malformed, cut] = rewards;
    assert.ok(Math.abs(perfect!.total - 3.5) < tolerance);
    // "a brow" with "a furrowed brow": cosine 1 / sqrt(2), s = (.70711 - .5) / .5 = .41421.
    const brow = halfBrow!.cues![0]!;
    assert.equal(brow.clause, "the video shows a brow");
    assert.ok(Math.abs(brow.similarity! - Math.SQRT1_2) < tolerance);
    assert.ok(Math.abs(brow.hit - (Math.SQRT1_2 - 0.5) / 0.5) < tolerance);
    assert.ok(Math.abs(halfBrow!.kinds.video.mean - brow.hit) < tolerance);
    assert.deepEqual([halfBrow!.kinds.audio.mean, halfBrow!.numClauses], [0, 2]);
    assert.deepEqual(empty!.parts, { accuracy: 0, format: 1, omni: 0 });
    assert.deepEqual(
      [malformed!.total, malformed!.problem, malformed!.cues![0]!.clause],
      [0, "missing <answer>", null],
    );
    // The answer can be read, but the format is not whole: accuracy alone.
    assert.deepEqual([cut!.parts, cut!.problem], [{ accuracy: 1, format: 0, omni: 0 }, "truncated"]);
  });

  test("choices: malformed ones may count, kinds without cues may be left out", async () => {
    const lenient = new RewardScorer(embedder, exactWords.score, { ...rules, requireWellFormed: false });
    assert.ok(Math.abs((await lenient.score([item(texts.malformed)], false))[0]!.parts.omni! - 1) < tolerance);
    const onlyVideo = { ...item(texts.perfect), cues: [cues[0]] };
    const skipping = new RewardScorer(embedder, exactWords.score, { ...rules, empty: "skip" });
    assert.ok(Math.abs((await skipping.score([onlyVideo], false))[0]!.parts.omni! - 3) < tolerance);
    const [zero] = await new RewardScorer(embedder, exactWords.score, rules).score([onlyVideo], false);
    assert.ok(Math.abs(zero!.parts.omni! - 1) < tolerance);
    assert.equal(zero!.cues, null);
  });

  test("requests share portions: a small one does not wait for a large one, order is kept, errors are one's own", async () => {
    const sizes: number[] = [];
    const watched = {
      ...embedder,
      embed: (all: readonly string[]) => {
        sizes.push(all.length);
        if (all.includes("broken")) throw new Error("no vector");
        return embedder.embed(all);
      },
    };
    const scorer = new RewardScorer(watched, exactWords.score, rules);
    const finished: string[] = [];
    const large = scorer.score(
      Array.from({ length: 200 }, (_, i) => item(i % 2 ? texts.perfect : texts.empty)),
      false,
    );
    const small = scorer.score([item(texts.halfBrow)], false);
    void large.then(() => finished.push("large"));
    void small.then(() => finished.push("small"));
    const endless = item(`<think>${"a, ".repeat(3000)}</think><answer>angry</answer>`);
    await assert.rejects(scorer.score([item(texts.empty), endless], false), {
      code: "ERR_REWARD_CLAUSES",
      message: /completion 1: expected at most 2048 clauses, got 3000/,
    });
    const totals = (await large).map(({ total }) => total);
    assert.deepEqual(
      totals.slice(0, 4).map((total) => total.toFixed(3)),
      ["1.000", "3.500", "1.000", "3.500"],
    );
    assert.equal(totals.length, 200);
    await small;
    assert.deepEqual(finished, ["small", "large"]);
    await assert.rejects(
      scorer.score([{ ...item(texts.perfect), cues: [{ kind: "video", text: "broken" }] }], false),
      /no vector/,
    );
    assert.equal((await scorer.score([item(texts.perfect)], false)).length, 1, "it goes on");
  });
});

interface Columns {
  readonly rewards: readonly number[];
  readonly parts: Readonly<Record<string, number[]>>;
  readonly scores: readonly number[];
  readonly extra_logs: Readonly<Record<string, number[]>>;
}

interface Native {
  readonly rewards: readonly number[];
  readonly weights: object;
  readonly items: readonly { readonly reward: number; readonly parts: object }[];
}

describe("oppo serve reward", () => {
  let server: RewardServer;
  const log: string[] = [];
  const options: Omit<ServeRewardOptions, "data"> = {
    embedder: "cues",
    accuracy: "exact",
    home: "/nowhere",
    rules,
    host: "127.0.0.1",
    port: 0,
    token: null,
    maxBodyBytes: 1 << 20,
    maxSkippedRows: 0,
    log: (line) => log.push(line),
  };

  const folder = mkdtempSync(join(tmpdir(), "oppo-reward-"));

  before(async () => {
    const data = join(folder, "samples.jsonl");
    await writeSamples(data, [testSample("clip", { cues, labels: ["angry"] })]);
    server = await serveReward({ ...options, data });
  });
  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  test("every trainer's shape gets the same rewards", async () => {
    const send = async <T = Columns>(path: string, body: object): Promise<T> => {
      const answer = await post(`${server.address}${path}`, JSON.stringify(body));
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return answer.body as T;
    };
    const all = Object.values(texts);
    const native = await send<Native>("/v1/rewards", {
      items: all.map((completion) => ({ completion, sample: "clip" })),
    });
    assert.equal(native.rewards.length, 4);
    assert.ok(Math.abs(native.rewards[0]! - 3.5) < 0.05, `${native.rewards}`);
    assert.deepEqual(native.weights, { accuracy: 1, format: 1, omni: 0.5 });
    assert.deepEqual(
      native.items.map(({ reward }) => reward),
      native.rewards,
    );
    const sample_id = all.map(() => "clip");
    for (const path of ["/trl", "/ms-swift"]) {
      const { rewards, parts } = await send(path, { prompts: all, completions: all, sample_id });
      assert.deepEqual(rewards, native.rewards);
      assert.deepEqual(parts.format, [1, 1, 1, 0]);
    }
    const extra_info = { sample_id: "clip" };
    const one = await send<object>("/verl", {
      data_source: "x",
      solution_str: all[0],
      ground_truth: "angry",
      extra_info,
    });
    assert.deepEqual(one, { score: native.rewards[0], ...native.items[0]!.parts });
    const many = await send<{ score: number }[]>("/verl", {
      solution_strs: all,
      ground_truths: all.map(() => "angry"),
      extra_infos: all.map(() => extra_info),
    });
    assert.deepEqual(
      many.map(({ score }) => score),
      native.rewards,
    );
    const remote = await send("/openrlhf", {
      query: all.map((text) => `ask: ${text}`),
      prompts: all.map(() => "ask: "),
      labels: sample_id,
    });
    assert.deepEqual(remote.rewards, native.rewards);
    assert.deepEqual(remote.extra_logs.accuracy, remote.scores);
    const metrics = await (await fetch(`${server.address}/metrics`)).text();
    assert.match(metrics, /oppo_reward_completions_total 21\n/);
    const health = (await (await fetch(`${server.address}/health`)).json()) as Record<string, unknown>;
    assert.deepEqual([health.status, health.samples, health.accuracy], ["ok", 1, "exact"]);
  });

  test("bad requests get 4xx and a code, and nothing else suffers", async () => {
    const cases: [string, string, number, string][] = [
      ["/v1/rewards", "{", 400, "ERR_HTTP_BODY"],
      ["/v1/rewards", '{"items": [{"completion": "x", "sample": "other"}]}', 400, "ERR_REWARD_SAMPLE"],
      ["/trl", '{"completions": []}', 400, "ERR_REQUEST_FIELD"],
      ["/verl", '{"solution_str": NaN}', 400, "ERR_HTTP_BODY"],
      ["/openrlhf", '{"query": ["a"], "labels": ["clip"]}', 400, "ERR_REWARD_QUERY"],
      ["/v1/rewards", `{"items": ${"[".repeat(100)}`, 400, "ERR_HTTP_BODY"],
      ["/v1/rewards", `"${"x".repeat(1 << 20)}"`, 413, "ERR_HTTP_BODY_TOO_LARGE"],
      ["/elsewhere", "{}", 404, "ERR_HTTP_NOT_FOUND"],
    ];
    for (const [path, body, status, code] of cases) {
      const answer = await post(`${server.address}${path}`, body);
      assert.deepEqual([answer.status, answer.body.error?.code], [status, code], `${path} ${body.slice(0, 40)}`);
    }
    assert.equal(
      (await post(`${server.address}/v1/rewards`, '{"items": [{"completion": "x", "sample": "clip"}]}')).status,
      200,
    );
    assert.deepEqual(log, []);
  });

  test("without a corpus an embedder that needs none must be named", async () => {
    await assert.rejects(serveReward({ ...options, data: null }), {
      code: "ERR_REWARD_EMBEDDER",
      message: /Give --data/,
    });
    const alone = await serveReward({ ...options, data: null, embedder: "theatre", accuracy: "theatre" });
    try {
      const body = {
        items: [{ completion: texts.perfect, cues: { video: ["a furrowed brow"] }, labels: ["furious"] }],
      };
      const answer = await post(`${alone.address}/v1/rewards`, JSON.stringify(body));
      // Accuracy: both words are of one group of the theatre's wheel; the one cue is named: 1 + 1 + 0.5.
      assert.ok(Math.abs((answer.body as unknown as Columns).rewards[0]! - 2.5) < 0.01, JSON.stringify(answer.body));
    } finally {
      await alone.close();
    }
  });
});
