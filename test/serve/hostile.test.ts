// Bodies that nobody would send, thousands of them, drawn from a seed: every one is answered or refused with a code, none
// is a fault of the server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { exactWords } from "../../src/emotion/score.ts";
import { createRandom, type Random } from "../../src/random.ts";
import { paperTerms } from "../../src/rl/rewards/terms.ts";
import { HttpError } from "../../src/serve/http/http-error.ts";
import { readChatCall } from "../../src/serve/model/chat-call.ts";
import type { Corpus } from "../../src/serve/reward/reference.ts";
import { readColumns, readNative, readOpenRlhf, readVerl } from "../../src/serve/reward/request-shapes.ts";
import { RewardScorer } from "../../src/serve/reward/reward-scorer.ts";
import { wordEmbedder } from "../support/word-embedder.ts";

const numBodies = 1500;
const texts = [
  ...[
    "",
    " ",
    "x",
    "happy",
    "clip-1",
    "<think>a smile</think><answer>happy</answer>",
    "<think></think>",
    "\u0000\uD800",
  ],
  ...[
    '{"labels": ["a"], "cues": {"video": ["b"]}}',
    "[[[[",
    "data:video/mp4;base64,AAAA",
    "__proto__",
    "a,".repeat(500),
  ],
];
const keys = {
  reward: [
    ...[
      "items",
      "completion",
      "completions",
      "sample",
      "sample_id",
      "cues",
      "labels",
      "truncated",
      "details",
      "prompts",
    ],
    ...["query", "solution_str", "solution_strs", "ground_truth", "ground_truths", "extra_info", "extra_infos", "kind"],
    ...["text", "video", "audio", "emotion", "role", "content", "__proto__", "constructor"],
  ],
  chat: [
    ...[
      "messages",
      "role",
      "content",
      "type",
      "text",
      "video_url",
      "url",
      "input_audio",
      "data",
      "format",
      "model",
      "n",
    ],
    ...["stop", "seed", "max_tokens", "temperature", "logprobs", "top_logprobs", "stream_options", "media_io_kwargs"],
    ...["mm_processor_kwargs", "logit_bias", "tools", "response_format", "__proto__", "toString"],
  ],
};

function pick<T>(items: readonly T[], random: Random): T {
  return items[random.int(items.length)]!;
}

function value(random: Random, names: readonly string[], depth: number): unknown {
  const kind = random.int(depth > 4 ? 5 : 9);
  if (kind === 0) return null;
  if (kind === 1) return random.next() < 0.5;
  if (kind === 2) return pick([0, -1, 1, 3.5, 1e308, -0, 2 ** 53], random);
  if (kind <= 4) return pick([...texts, "user", "assistant", "video", "text", "m"], random);
  if (kind <= 6) return Array.from({ length: random.int(4) }, () => value(random, names, depth + 1));
  const entries = Array.from({ length: random.int(5) }, () => [pick(names, random), value(random, names, depth + 1)]);
  return JSON.parse(JSON.stringify(Object.fromEntries(entries)));
}

/** The value with some of its parts replaced, doubled or left out. */
function mutated(from: unknown, random: Random, names: readonly string[], depth = 0): unknown {
  const chance = random.next();
  if (chance < 0.04 && depth > 0) return value(random, names, depth);
  if (Array.isArray(from)) {
    const items = from.map((item) => mutated(item, random, names, depth + 1));
    return chance > 0.97 ? [...items, ...items] : items;
  }
  if (typeof from !== "object" || from === null) return from;
  const entries = Object.entries(from).filter(() => random.next() > 0.02);
  if (chance > 0.95) entries.push([pick(names, random), value(random, names, depth)]);
  return Object.fromEntries(entries.map(([key, one]) => [key, mutated(one, random, names, depth + 1)]));
}

test("rewards: scored or refused, never a fault, never NaN", async () => {
  const random = createRandom(11);
  const corpus: Corpus = new Map([["clip-1", { cues: [{ kind: "video", text: "a smile" }], labels: ["happy"] }]]);
  const scorer = new RewardScorer(wordEmbedder(["smile"]), exactWords.score, {
    terms: paperTerms,
    threshold: 0.5,
    empty: "zero",
    requireWellFormed: true,
  });
  const text = "<think>a smile</think><answer>happy</answer>";
  const cues = { video: ["a smile"] };
  const talk = [{ role: "assistant", content: text }];
  const readers = [
    [
      readNative,
      {
        items: [
          { completion: text, cues, labels: ["happy"] },
          { completion: text, sample: "clip-1" },
        ],
      },
    ],
    [readColumns, { completions: [text, talk], sample_id: ["clip-1", null], cues: [null, cues], labels: [null, "a"] }],
    [readVerl, { solution_str: text, ground_truth: "happy", extra_info: { cues, truncated: false } }],
    [readOpenRlhf, { query: [`ask ${text}`], prompts: ["ask "], labels: ["clip-1"] }],
  ] as const;
  const codes = new Set<string>();
  let numScored = 0;
  for (let i = 0; i < numBodies; i++) {
    const [read, good] = pick(readers, random);
    const body = i % 8 === 0 ? value(random, keys.reward, 0) : mutated(good, random, keys.reward);
    try {
      const { items, hasDetails } = read(body, corpus);
      for (const { total, parts } of await scorer.score(items, hasDetails)) {
        assert.ok([total, ...Object.values(parts)].every(Number.isFinite));
        numScored++;
      }
    } catch (error) {
      assert.ok(error instanceof HttpError, String((error as Error).stack));
      assert.equal(error.status, 400);
      codes.add(error.code);
    }
  }
  assert.ok(numScored > 400, `${numScored} scored`);
  assert.ok(codes.size >= 4, [...codes].join());
  assert.equal(({} as Record<string, unknown>).completion, undefined, "no prototype was touched");
});

test("chats: read or refused, never a fault", () => {
  const random = createRandom(12);
  const limits = {
    ...{ modelName: "m", maxContext: 1000, maxNewTokens: 100, defaultNewTokens: 50, maxSamples: 4 },
    maxTextBytes: 16_000,
    isAdapter: () => false,
    tellsProcessed: false,
  };
  const good = {
    model: "m",
    messages: [
      { role: "system", content: "be brief" },
      {
        role: "user",
        content: [
          { type: "video_url", video_url: { url: "data:video/mp4;base64,AA" } },
          { type: "text", text: "?" },
        ],
      },
    ],
    ...{ max_tokens: 9, temperature: 0.5, n: 2, stop: ["x"], logprobs: true, top_logprobs: 3, seed: 4 },
    ...{ stream: true, stream_options: { include_usage: true }, mm_processor_kwargs: { use_audio_in_video: true } },
  };
  const codes = new Set<string>();
  let numRead = 0;
  for (let i = 0; i < numBodies; i++) {
    const body = i % 8 === 0 ? value(random, keys.chat, 0) : mutated(good, random, keys.chat);
    try {
      readChatCall(body, limits, () => 1);
      numRead++;
    } catch (error) {
      assert.ok(error instanceof HttpError, String((error as Error).stack));
      assert.ok([400, 404].includes(error.status));
      codes.add(error.code);
    }
  }
  assert.ok(numRead > 200 && codes.size >= 3, `${numRead} read, ${[...codes].join()}`);
});
