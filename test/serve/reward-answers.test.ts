// What stands around an answer, in every trainer's shape: a think tag that the template opened, reasoning in a field of its
// own, content parts, end tokens; odd content is refused by field; a reward that does not move is told.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { exactWords } from "../../src/emotion/score.ts";
import { defaultWatchWindow } from "../../src/rl/reward-watch.ts";
import { paperTerms } from "../../src/rl/rewards/terms.ts";
import { Counters } from "../../src/serve/http/counters.ts";
import { listen } from "../../src/serve/http/listen.ts";
import { rewardApp } from "../../src/serve/reward/reward-app.ts";
import { RewardScorer } from "../../src/serve/reward/reward-scorer.ts";
import { wordEmbedder } from "../support/word-embedder.ts";

const embedder = wordEmbedder(["furrowed", "brow", "loud", "voice", "angry", "smile"]);
const cues = { video: ["a furrowed brow"], audio: ["a loud voice"] };
const labels = ["angry"];
const thought = "a furrowed brow. a loud voice.";
const whole = `<think>${thought}</think><answer>angry</answer>`;
const rest = whole.slice("<think>".length);
const turn = "<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n";
const truth = JSON.stringify({ labels, cues });

const paths = ["/v1/rewards", "/trl", "/ms-swift", "/verl", "/openrlhf"] as const;
type Path = (typeof paths)[number];

/** A body of each shape for one completion. */
function bodyOf(path: Path, completion: unknown, prompt?: unknown): object {
  const given = prompt === undefined ? {} : { prompt };
  switch (path) {
    case "/v1/rewards":
      return { items: [{ completion, cues, labels, ...given }] };
    case "/verl":
      return { data_source: "x", solution_str: completion, ground_truth: truth, extra_info: given };
    case "/openrlhf": {
      const before = typeof prompt === "string" ? prompt : turn;
      return {
        query: [typeof completion === "string" ? before + completion : completion],
        prompts: [before],
        labels: [truth],
      };
    }
    default:
      return {
        completions: [completion],
        cues: [cues],
        labels: [labels],
        ...(prompt === undefined ? {} : { prompts: [prompt] }),
      };
  }
}

describe("rewards of one answer in many dresses", () => {
  let address = "";
  let close = async (): Promise<void> => undefined;
  const notices: string[] = [];
  const faults: unknown[] = [];

  before(async () => {
    const rules = {
      terms: paperTerms,
      threshold: 0.5,
      empty: "zero",
      requireWellFormed: true,
    } as const;
    const app = rewardApp({
      scorer: new RewardScorer(embedder, exactWords.score, rules),
      ...{ corpus: null, embedderName: "words", accuracyName: "exact", token: null, host: "127.0.0.1" },
      maxBodyBytes: 1 << 20,
      counters: new Counters("t"),
      onNotice: (line) => notices.push(line),
      onFault: (error) => faults.push(error),
    });
    ({ address, close } = await listen(app, { host: "127.0.0.1", port: 0, requestSeconds: 5 }));
  });
  after(() => close());

  async function send(
    path: string,
    body: object,
  ): Promise<{ status: number; warning: string | null; body: Record<string, never> }> {
    const answer = await fetch(`${address}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return {
      status: answer.status,
      warning: answer.headers.get("x-oppo-warning"),
      body: (await answer.json()) as Record<string, never>,
    };
  }

  async function rewardOf(path: Path, completion: unknown, prompt?: unknown): Promise<number> {
    const { status, body } = await send(path, bodyOf(path, completion, prompt));
    assert.equal(status, 200, `${path} ${JSON.stringify(body)}`);
    const { rewards, score } = body as { rewards?: readonly number[]; score?: number };
    return Number((rewards?.[0] ?? score)!.toFixed(5));
  }

  test("a template opened the tag: every shape gives what the whole text gives", async () => {
    for (const path of paths) {
      assert.equal(await rewardOf(path, whole), 3, path);
      for (const completion of [rest, `\n${rest}<|im_end|>`, `${rest}</s><unk>`, `${rest}<|eot_id|><|eot_id|>`]) {
        assert.equal(await rewardOf(path, completion, `${turn}<think>\n`), 3, `${path} ${completion}`);
      }
      // A prompt that shows that nothing was opened asks for the tag; it loses format and, with it, cues.
      assert.equal(await rewardOf(path, rest, turn), 1, path);
      // The rest of the format is asked for all the same.
      assert.equal(await rewardOf(path, `${thought}<answer>angry</answer>`, `${turn}<think>\n`), 1, path);
      assert.equal(await rewardOf(path, `${rest} and more`, `${turn}<think>\n`), 1, path);
    }
    for (const path of ["/v1/rewards", "/trl", "/ms-swift", "/verl"] as const) {
      assert.equal(await rewardOf(path, rest), 3, `${path}: the prompt is not known`);
      const prefilled = [
        { role: "user", content: "Q" },
        { role: "assistant", content: "<think>" },
      ];
      assert.equal(await rewardOf(path, rest, prefilled), 3, path);
    }
  });

  test("messages, parts and reasoning in a field of its own", async () => {
    const answer = "<answer>angry</answer>";
    const message = (fields: object) => [{ role: "assistant", ...fields }];
    const same: readonly unknown[] = [
      message({ content: whole }),
      message({ content: rest }),
      message({ content: answer, reasoning_content: thought }),
      message({ content: answer, reasoning: `<think>${thought}</think>` }),
      message({ content: [{ type: "text", text: answer }], reasoning_content: thought }),
      message({
        content: [
          { type: "thinking", thinking: thought },
          { type: "text", text: answer },
        ],
      }),
      message({ content: whole, reasoning_content: "" }),
      [
        { role: "user", content: "Q" },
        ...message({ content: null, reasoning_content: thought }),
        ...message({ content: whole }),
      ],
      { role: "assistant", content: whole },
      [
        { type: "text", text: `<think>${thought}` },
        { type: "text", text: "</think><answer>angry</answer>" },
      ],
    ];
    for (const path of ["/v1/rewards", "/trl", "/ms-swift", "/verl"] as const) {
      for (const completion of same)
        assert.equal(await rewardOf(path, completion), 3, `${path} ${JSON.stringify(completion)}`);
      // Reasoning alone is no answer, an answer alone no reasoning.
      assert.equal(await rewardOf(path, message({ content: null, reasoning_content: thought })), 0);
      assert.equal(await rewardOf(path, message({ content: answer })), 1);
    }
    const beside = { items: [{ completion: answer, reasoning_content: thought, cues, labels }] };
    assert.equal(Number((await send("/v1/rewards", beside)).body.rewards?.[0]).toFixed(5), "3.00000");
  });

  test("odd content is refused by field, with what was expected and what came", async () => {
    const cases: readonly (readonly [unknown, string, RegExp])[] = [
      [3, "completions.0", /a completion as text, got a number/],
      [null, "completions.0", /got null/],
      [[], "completions.0", /got an empty list/],
      [["a", "b"], "completions.0.0", /a part .*, got a string/],
      [[[whole]], "completions.0.0", /got a list/],
      [{ text: whole }, "completions.0", /got an object/],
      [[{ role: "assistant" }], "completions.0.0.content", /content parts or null, got none/],
      [[{ role: "assistant", content: 5 }], "completions.0.0.content", /got a number/],
      [[{ role: "assistant", content: { toString: 1 } }], "completions.0.0.content", /got an object/],
      [
        [{ role: "assistant", content: [{ type: "text", text: { toString: 1 } }] }],
        "completions.0.0.content.0.text",
        /got an object/,
      ],
      [[{ role: "assistant", content: [{ type: "image_url" }] }], "completions.0.0.content.0.type", /got "image_url"/],
      [[{ role: "assistant", content: [null] }], "completions.0.0.content.0", /got null/],
      [
        [{ role: "assistant", content: "x", reasoning_content: 7 }],
        "completions.0.0.reasoning_content",
        /a text, got a number/,
      ],
      [[{ role: "assistant", content: "x" }, "y"], "completions.0.1", /a message, got a string/],
    ];
    for (const [completion, param, message] of cases) {
      const { status, body } = await send("/trl", bodyOf("/trl", completion));
      const { error } = body as unknown as { error: { message: string; param: string; code: string } };
      assert.deepEqual([status, error.param, error.code], [400, param, "ERR_REQUEST_FIELD"], error.message);
      assert.match(error.message, message);
    }
    for (const path of paths) {
      const { status, body } = await send(path, bodyOf(path, { a: [{}] }));
      assert.equal(status, 400, `${path} ${JSON.stringify(body)}`);
    }
    assert.equal((await send("/trl", bodyOf("/trl", whole, 5))).status, 400);
    assert.deepEqual(faults, []);
  });

  test("a reward that has not moved is logged once, and said in a header and by /health", async () => {
    notices.length = 0;
    const bodies = (completion: string) => {
      const all = <T>(value: T): T[] => Array.from({ length: defaultWatchWindow }, () => value);
      return { completions: all(completion), cues: all(cues), labels: all(labels) };
    };
    assert.equal((await send("/trl", bodyOf("/trl", whole))).warning, null);
    const stuck = await send("/trl", bodies("angry"));
    assert.match(
      stuck.warning ?? "",
      /format was 0 for the last 256 completions \(256 of them malformed: missing <think>\)/,
    );
    assert.equal(notices.length, 4, "three terms and the total");
    await send("/trl", bodies("angry"));
    assert.equal(notices.length, 4, "once");
    const health = (await (await fetch(`${address}/health`)).json()) as { warnings: string[]; reading: string };
    assert.equal(health.warnings.length, 4);
    assert.match(health.reading, /^strict/);
    const info = (await (await fetch(`${address}/`)).json()) as { reading: string; routes: string[] };
    assert.deepEqual([info.reading, info.routes.includes("/trl")], [health.reading, true]);
    // One that differs ends it.
    assert.equal((await send("/trl", bodyOf("/trl", whole))).warning, null);
  });
});
