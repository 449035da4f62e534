// What a chat request may say: defaults, bounds, what is refused by name and what is ignored; which conversations are known.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readChatCall } from "../../src/serve/model/chat-call.ts";
import { requireConversation } from "../../src/serve/model/prompt.ts";
import type { Turn } from "../../src/serve/model/protocol.ts";

const limits = {
  modelName: "m",
  maxContext: 1000,
  maxNewTokens: 100,
  defaultNewTokens: 50,
  maxSamples: 4,
  maxTextBytes: 16_000,
  isAdapter: () => false,
  tellsProcessed: false,
};
const messages = [{ role: "user", content: "hello" }];

function read(more: object) {
  return readChatCall({ messages, ...more }, limits, () => 9);
}

describe("readChatCall", () => {
  test("fills in what is left out or null", () => {
    const { job, media, includeUsage } = read({ model: "m", temperature: null, stop: null });
    assert.deepEqual(job, {
      turns: [{ role: "user", parts: [{ type: "text", text: "hello" }] }],
      rules: {
        adapter: null,
        numSamples: 1,
        temperature: 1,
        logprobTemperature: 1,
        topP: null,
        topK: null,
        repetitionPenalty: null,
      },
      maxNewTokens: 50,
      seeds: [9],
      stop: [],
      numLikeliest: null,
      tellsStop: false,
      isStreamed: false,
    });
    assert.deepEqual([media, includeUsage], [[], false]);
    const full = read({ n: 2, seed: 5, top_k: 3, top_p: 0.5, stop: "x", logprobs: true, max_completion_tokens: 7 }).job;
    assert.deepEqual(
      [full.rules.topK, full.rules.topP, full.stop, full.numLikeliest, full.maxNewTokens],
      [3, 0.5, ["x"], 0, 7],
    );
    assert.equal(full.seeds[0], 5);
    assert.notEqual(full.seeds[1], 5);
    assert.equal(read({ top_k: -1, top_p: 1, repetition_penalty: 1 }).job.rules.topK, null);
  });

  test("ignores what changes nothing", () => {
    const more = {
      user: "u",
      metadata: {},
      tools: [],
      presence_penalty: 0,
      logit_bias: {},
      response_format: { type: "text" },
    };
    assert.deepEqual(read(more), read({}));
  });

  test("refuses what is out of bounds or of another kind, and names the field", () => {
    const cases: [object, string, RegExp][] = [
      [{ messages: [] }, "ERR_REQUEST_FIELD", /^messages: /],
      [{ messages: "hello" }, "ERR_REQUEST_FIELD", /^messages: /],
      [{ messages: [{ role: "tool", content: "x" }] }, "ERR_REQUEST_FIELD", /^messages\.0\.role: /],
      [{ messages: [{ role: "user", content: [{ type: "magic" }] }] }, "ERR_REQUEST_FIELD", /^messages\.0\.content/],
      [{ messages: [{ role: "user", content: "x".repeat(2 ** 21) }] }, "ERR_REQUEST_FIELD", /^messages\.0\.content/],
      [{ max_tokens: 0 }, "ERR_REQUEST_FIELD", /^max_tokens: /],
      [{ max_tokens: 101 }, "ERR_REQUEST_FIELD", /^max_tokens: expected at most 100, got 101/],
      [{ max_tokens: 1.5 }, "ERR_REQUEST_FIELD", /^max_tokens: /],
      [{ temperature: -1 }, "ERR_REQUEST_FIELD", /^temperature: /],
      [{ temperature: "hot" }, "ERR_REQUEST_FIELD", /^temperature: /],
      [{ top_p: 0 }, "ERR_REQUEST_FIELD", /^top_p: /],
      [{ n: 5 }, "ERR_REQUEST_FIELD", /^n: expected 1 to 4, got 5/],
      [{ stop: [""] }, "ERR_REQUEST_FIELD", /^stop/],
      [{ top_logprobs: 3 }, "ERR_REQUEST_FIELD", /^top_logprobs: /],
      [{ top_logprobs: 21, logprobs: true }, "ERR_REQUEST_FIELD", /^top_logprobs: /],
      [{ model: "other" }, "ERR_MODEL_NAME", /expected "m", got "other"/],
      [{ tools: [{}] }, "ERR_REQUEST_UNSUPPORTED", /^tools: /],
      [{ response_format: { type: "json_schema" } }, "ERR_REQUEST_UNSUPPORTED", /^response_format: /],
      [{ frequency_penalty: 0.5 }, "ERR_REQUEST_UNSUPPORTED", /^frequency_penalty: /],
      [{ best_of: 3 }, "ERR_REQUEST_UNSUPPORTED", /^best_of: /],
      [{ mm_processor_kwargs: { fps: 3 } }, "ERR_REQUEST_UNSUPPORTED", /^fps: /],
    ];
    for (const [more, code, message] of cases)
      assert.throws(() => read(more), { code, message }, JSON.stringify(more).slice(0, 80));
    for (const body of [null, [], "x", 3]) {
      assert.throws(() => readChatCall(body, limits, () => 0), { code: "ERR_REQUEST_FIELD", message: /^body: / });
    }
    const image = [{ type: "image_url", image_url: { url: "data:image/png;base64,AA" } }];
    assert.throws(() => read({ messages: [{ role: "assistant", content: image }] }), {
      message: /in user messages only/,
    });
  });

  test("takes media from every kind of part", () => {
    const content = [
      { type: "video_url", video_url: { url: "data:video/mp4;base64,AA" } },
      { type: "input_audio", input_audio: { data: "BB", format: "wav" } },
      { type: "audio_url", audio_url: { url: "http://x/y.wav" } },
      { type: "image_url", image_url: { url: "file:///z.png" } },
    ];
    const more = {
      mm_processor_kwargs: { use_audio_in_video: true },
      media_io_kwargs: { video: { fps: 4, num_frames: -1 } },
    };
    const { media } = read({ messages: [{ role: "user", content }], ...more });
    assert.deepEqual(media, [
      { kind: "video", url: "data:video/mp4;base64,AA", withSound: true, fps: 4, numFrames: -1 },
      { kind: "audio", url: "data:audio/wav;base64,BB", withSound: false, fps: null, numFrames: null },
      { kind: "audio", url: "http://x/y.wav", withSound: false, fps: null, numFrames: null },
      { kind: "image", url: "file:///z.png", withSound: false, fps: null, numFrames: null },
    ]);
  });
});

test("a conversation ends with the user and has its system message first", () => {
  const turn = (role: Turn["role"]): Turn => ({ role, parts: [{ type: "text", text: "a" }] });
  const turns = (...roles: Turn["role"][]) => roles.map(turn);
  assert.doesNotThrow(() => requireConversation(turns("user")));
  assert.doesNotThrow(() => requireConversation(turns("system", "user", "assistant", "user")));
  const refused = (message: RegExp) => ({ code: "ERR_REQUEST_UNSUPPORTED", message });
  assert.throws(() => requireConversation(turns("user", "assistant")), refused(/at the end, got one of the assistant/));
  assert.throws(() => requireConversation(turns("system")), refused(/got one of the system/));
  assert.throws(() => requireConversation(turns("user", "system", "user")), refused(/at the beginning only/));
});
