// What trainers send, and what is refused: our own shape, TRL's and ms-swift's columns, verl's arguments, OpenRLHF's remote
// reward model. Items that cannot be scored are errors with a code, never zeros.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Corpus } from "../../src/serve/reward/reference.ts";
import { readColumns, readNative, readOpenRlhf, readVerl } from "../../src/serve/reward/request-shapes.ts";

const smile = [{ kind: "video" as const, text: "a smile" }];
const corpus: Corpus = new Map([
  ["clip-1", { cues: smile, labels: ["happy"] }],
  ["7", { cues: [], labels: ["sad"] }],
  ["bare", { cues: smile, labels: [] }],
]);
const text = "<think>a smile</think><answer>happy</answer>";
const item = { completion: text, isTruncated: false, cues: smile, labels: ["happy"] };

describe("our own shape", () => {
  test("cues by kind or as a list, labels as a list or text, a sample's id, and both: what is given wins", () => {
    const { items, hasDetails } = readNative(
      {
        items: [
          { completion: text, cues: { video: ["a smile"] }, labels: "['happy', ]" },
          { completion: text, cues: smile, labels: ["happy"], truncated: true },
          { completion: text, sample: "clip-1" },
          { completion: text, sample: "clip-1", labels: ["glad"] },
          { completion: text, sample: 7 },
        ],
        details: true,
      },
      corpus,
    );
    assert.equal(hasDetails, true);
    assert.deepEqual(items, [
      item,
      { ...item, isTruncated: true },
      item,
      { ...item, labels: ["glad"] },
      { ...item, cues: [], labels: ["sad"] },
    ]);
  });

  test("what cannot be scored is refused by code and place", () => {
    const good = { completion: text, cues: smile, labels: ["happy"] };
    const cases: [unknown, string, RegExp][] = [
      [null, "ERR_REQUEST_FIELD", /^body: expected an object, got null/],
      [{}, "ERR_REQUEST_FIELD", /^items: expected a list, got none/],
      [{ items: [] }, "ERR_REQUEST_FIELD", /at least one/],
      [{ items: Array(4097).fill(good) }, "ERR_REQUEST_FIELD", /at most 4096, got 4097/],
      [{ items: [good, 3] }, "ERR_REQUEST_FIELD", /^items\.1: expected an object, got a number/],
      [{ items: [{ ...good, completion: 3 }] }, "ERR_REQUEST_FIELD", /a completion as text, got a number/],
      [{ items: [{ ...good, completion: "x".repeat(65537) }] }, "ERR_REQUEST_FIELD", /at most 65536 characters/],
      [{ items: [{ ...good, truncated: "no" }] }, "ERR_REQUEST_FIELD", /true or false, got a string/],
      [{ items: [{ completion: text, labels: ["a"] }] }, "ERR_REWARD_CUES", /cues, or the id of a sample/],
      [{ items: [{ completion: text, cues: smile }] }, "ERR_REWARD_LABELS", /labels.*got none/],
      [{ items: [{ completion: text, cues: smile, labels: [] }] }, "ERR_REWARD_LABELS", /an empty list/],
      [{ items: [{ completion: text, sample: "bare" }] }, "ERR_REWARD_LABELS", /an empty list/],
      [{ items: [{ completion: text, sample: "nobody" }] }, "ERR_REWARD_SAMPLE", /got "nobody"/],
      [{ items: [{ completion: text, sample: {} }] }, "ERR_REWARD_SAMPLE", /got an object/],
      [{ items: [{ ...good, cues: Array(513).fill(smile[0]) }] }, "ERR_REWARD_CUES", /at most 512 cues, got 513/],
      [
        { items: [{ ...good, cues: [{ kind: "smell", text: "x" }] }] },
        "ERR_REWARD_CUES",
        /"video", "audio" or "emotion"/,
      ],
      [{ items: [{ ...good, cues: [null] }] }, "ERR_REWARD_CUES", /got null/],
      [{ items: [{ ...good, cues: { video: [" "] } }] }, "ERR_REWARD_CUES", /1 to 500 characters/],
      [{ items: [{ ...good, cues: { video: ["x".repeat(501)] } }] }, "ERR_REWARD_CUES", /got 501 characters/],
      [{ items: [{ ...good, cues: { taste: [] } }] }, "ERR_REWARD_CUES", /"taste"/],
      [{ items: [{ ...good, cues: 5 }] }, "ERR_REWARD_CUES", /got a number/],
      [{ items: [{ ...good, labels: [1] }] }, "ERR_REWARD_LABELS", /got a number/],
      [{ items: [{ ...good, labels: Array(65).fill("a") }] }, "ERR_REWARD_LABELS", /at most 64 words, got 65/],
    ];
    for (const [body, code, message] of cases)
      assert.throws(() => readNative(body, corpus), { code, message, status: 400 });
    const alone = { items: [{ completion: text, sample: "clip-1" }] };
    assert.throws(() => readNative(alone, null), { code: "ERR_REWARD_SAMPLE", message: /without --data/ });
  });
});

describe("TRL and ms-swift: columns", () => {
  test("texts and conversations, with ids or with cues that may be JSON texts", () => {
    const conversation = [
      { role: "assistant", content: "first" },
      { role: "user", content: "go on" },
      { role: "assistant", content: [{ type: "text", text }] },
    ];
    const byId = readColumns(
      { prompts: ["a", "b"], completions: [text, conversation], sample_id: ["clip-1", "clip-1"] },
      corpus,
    );
    assert.deepEqual(byId.items, [item, item]);
    const given = readColumns({ completions: [text], cues: ['{"video": ["a smile"]}'], solution: ["happy"] }, null);
    assert.deepEqual(given.items, [item]);
  });

  test("columns of another length, no assistant message, broken JSON", () => {
    const cases: [object, string, RegExp][] = [
      [{ completions: [text, text], sample_id: ["clip-1"] }, "ERR_REQUEST_FIELD", /^sample_id: expected 2 values/],
      [
        { completions: [[{ role: "user", content: "x" }]], sample_id: ["7"] },
        "ERR_REQUEST_FIELD",
        /an assistant message/,
      ],
      [{ completions: [text], cues: ['{"video": '], labels: ["a"] }, "ERR_REWARD_CUES", /got a string/],
      [{ completions: text }, "ERR_REQUEST_FIELD", /^completions: expected a list/],
      [{ completions: [text] }, "ERR_REWARD_CUES", /^completions\.0: /],
    ];
    for (const [body, code, message] of cases) assert.throws(() => readColumns(body, corpus), { code, message });
  });
});

describe("verl: the arguments of compute_score", () => {
  test("one row, or many in the plural", () => {
    const one = { data_source: "mer", solution_str: text, ground_truth: "happy", extra_info: { sample_id: "clip-1" } };
    assert.deepEqual(readVerl(one, corpus), { items: [item], hasDetails: false, isSingle: true });
    const many = {
      data_sources: ["mer", "mer"],
      solution_strs: [text, text],
      ground_truths: ['{"labels": ["happy"], "cues": {"video": ["a smile"]}}', ["happy"]],
      extra_infos: [null, { cues: smile, truncated: true }],
    };
    assert.deepEqual(readVerl(many, null), {
      items: [item, { ...item, isTruncated: true }],
      hasDetails: false,
      isSingle: false,
    });
  });

  test("a row without cues is refused", () => {
    assert.throws(() => readVerl({ solution_str: text, ground_truth: "happy", extra_info: {} }, corpus), {
      code: "ERR_REWARD_CUES",
    });
    assert.throws(() => readVerl({ ground_truth: "happy" }, corpus), { code: "ERR_REQUEST_FIELD" });
  });
});

describe("OpenRLHF: query, prompts, labels", () => {
  const prompt = "<|im_start|>user\nhow?<|im_end|>\n<|im_start|>assistant\n";

  test("the response is what follows the prompt, without end and padding tokens", () => {
    const body = {
      query: [`${prompt}${text}<|im_end|>\n<|endoftext|><|endoftext|>`, `x${prompt}${text}`, `say: ${text}`],
      prompts: [prompt, prompt, "say: "],
      labels: ["clip-1", '{"sample": "clip-1"}', '{"labels": "happy", "cues": {"video": ["a smile"]}}'],
    };
    assert.deepEqual(readOpenRlhf(body, corpus).items, [{ ...item, thinkIsOpen: false }, { ...item }, { ...item }]);
    const opened = `${prompt}<think>\n`;
    const padded = `<|endoftext|><|endoftext|>${opened}${text.slice(7)}<|im_end|>`;
    assert.deepEqual(readOpenRlhf({ query: [padded], prompts: [opened], labels: ["clip-1"] }, corpus).items, [
      { ...item, completion: text.slice(7), thinkIsOpen: true },
    ]);
  });

  test("a query that is not its prompt's, a label that says too little", () => {
    const bad = { query: ["abc"], prompts: ["xyz"], labels: ["clip-1"] };
    assert.throws(() => readOpenRlhf(bad, corpus), { code: "ERR_REWARD_QUERY", message: /^query\.0: / });
    const query = [`${prompt}${text}`];
    assert.throws(() => readOpenRlhf({ query, prompts: [prompt], labels: ["happy"] }, null), {
      code: "ERR_REWARD_CUES",
    });
    assert.throws(() => readOpenRlhf({ query, prompts: [prompt], labels: ["?"] }, corpus), {
      code: "ERR_REWARD_SAMPLE",
    });
    assert.throws(() => readOpenRlhf({ query, prompts: [prompt], labels: [] }, corpus), { code: "ERR_REQUEST_FIELD" });
    assert.throws(() => readOpenRlhf({ query, prompts: [prompt], labels: [null] }, corpus), {
      code: "ERR_REWARD_CUES",
    });
    const spaces = `${prompt}${" ".repeat(60_000)}x`;
    assert.equal(readOpenRlhf({ query: [spaces], prompts: [prompt], labels: ["clip-1"] }, corpus).items.length, 1);
  });
});
