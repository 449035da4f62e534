// A server of vLLM's shapes whose answers are useless ends the run before the first step, with the reason.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { readStepLog } from "../../../src/run/metrics.ts";
import { startServer } from "../../serve/served-model.ts";
import { inChoices, mockedRuns, plainOverrides } from "../../support/mocked-run.ts";
import { servedRun } from "../../support/served-run.ts";
import { type Faults, vllmMock } from "../../support/vllm-mock.ts";

let numRuns = 0;
const { run, withFaults, opened } = mockedRuns();

describe("what makes answers useless ends the run before the first step", () => {
  const cases: [string, Faults, string, RegExp][] = [
    [
      "another prompt",
      { reply: (reply) => void reply.prompt_token_ids!.splice(2, 1, 7) },
      "ERR_ROLLOUT_PROMPT",
      /other from place 2 on: .* here, 7, .* there/,
    ],
    [
      "a shorter prompt",
      { reply: (reply) => void reply.prompt_token_ids!.pop() },
      "ERR_ROLLOUT_PROMPT",
      /its end there/,
    ],
    [
      "no ids of the prompt",
      { reply: (reply) => void delete reply.prompt_token_ids },
      "ERR_ROLLOUT_REPLY",
      /the ids of the prompt \(return_token_ids\), got none/,
    ],
    ["no ids of what was said", inChoices((choice) => void delete choice.token_ids), "ERR_ROLLOUT_REPLY", /got none/],
    [
      "no log-probabilities",
      inChoices((choice) => void Object.assign(choice, { logprobs: null })),
      "ERR_ROLLOUT_REPLY",
      /\(logprobs\)/,
    ],
    [
      "too few log-probabilities",
      inChoices(({ logprobs }) => void logprobs!.content!.pop()),
      "ERR_ROLLOUT_REPLY",
      /a log-probability for every token/,
    ],
    [
      "log-probabilities of other tokens",
      inChoices(({ logprobs }) => void Object.assign(logprobs!.content![0]!, { token: "token_id:1" })),
      "ERR_ROLLOUT_REPLY",
      /one of token_id:1/,
    ],
    [
      "answers without their stop token",
      inChoices((choice) => {
        choice.token_ids!.pop();
        choice.logprobs!.content!.pop();
        choice.finish_reason = "stop";
      }),
      "ERR_ROLLOUT_REPLY",
      /the stop token among the ids of a finished answer/,
    ],
    ["an adapter that is ignored", { model: () => "policy" }, "ERR_ROLLOUT_ADAPTER", /taken and is ignored/],
    [
      "an adapter of a rank that it does not take, said as a fault of its own",
      { adapterTrouble: "Call to add_lora method failed: LoRA rank 4 is greater than max_lora_rank 2." },
      "ERR_ROLLOUT_ADAPTER",
      /greater than max_lora_rank 2\. .*--max-lora-rank/,
    ],
    ["no adapters", { hasNoAdapters: true }, "ERR_ROLLOUT_ADAPTER", /VLLM_ALLOW_RUNTIME_LORA_UPDATING=1/],
    ["a clock that is behind", { clock: -600_000 }, "ERR_ROLLOUT_CLOCK", /600 s behind|59\d s behind|60\d s behind/],
    ["a clock that is ahead", { clock: 3_600_000 }, "ERR_ROLLOUT_CLOCK", /s ahead/],
    ["a web page", { models: "<html>hello</html>" }, "ERR_ROLLOUT_SERVER", /a list of models at \/v1\/models/],
    [
      "text in place of ids",
      {
        reply: (reply, isProbe) => {
          for (const one of reply.choices[0]!.logprobs!.content![0]!.top_logprobs) if (isProbe) one.token = "a";
        },
      },
      "ERR_ROLLOUT_REPLY",
      /return_tokens_as_token_ids/,
    ],
  ];
  for (const [name, faults, code, message] of cases) {
    test(name, async () => {
      const { theatre, fitted, model, behind } = opened();
      const directory = join(theatre.root, `bad-${numRuns++}`);
      await using mock = await vllmMock(behind.address, faults);
      await assert.rejects(
        servedRun({ directory, model, fitted, addresses: [mock.address], overrides: plainOverrides }),
        (error) => {
          const { code: got, message: said } = error as Error & { code: string };
          assert.deepEqual([got, said.startsWith(mock.address)], [code, true], said);
          assert.match(said, message);
          return true;
        },
      );
      assert.deepEqual(readStepLog(join(directory, "metrics.jsonl")), []);
      assert.ok(!existsSync(join(directory, "checkpoints", "latest")));
    });
  }

  test("another model, another rank than is allowed, another key", async () => {
    const { theatre, model } = opened();
    const other = await startServer(theatre.freshModel(2), { allowWeights: theatre.root });
    await assert.rejects(run(other.address), { code: "ERR_ROLLOUT_MODEL", message: /It serves other weights/ });
    await other.close();
    const narrow = await startServer(model, { allowWeights: theatre.root, maxLoraRank: 2 });
    await assert.rejects(run(narrow.address), {
      code: "ERR_ROLLOUT_ADAPTER",
      message: /expected a rank of at most 2, got 4/,
    });
    await narrow.close();
    const closed = await startServer(model, { token: "secret" });
    await assert.rejects(run(closed.address), { code: "ERR_ROLLOUT_SERVER", message: /--rollout-key-env/ });
    await closed.close();
  });

  test("one bad server among several is named", async () => {
    const { behind } = opened();
    await using bad = await vllmMock(behind.address, { model: () => "policy" });
    await assert.rejects(run("", { addresses: [behind.address, bad.address] }), {
      code: "ERR_ROLLOUT_ADAPTER",
      message: new RegExp(`^${bad.address}`),
    });
  });
});

test("a server that goes on with older weights is found out at the step where it shows", async () => {
  const stale: Faults = { model: (name) => (name === "policy-v1" ? "policy" : name) };
  await assert.rejects(withFaults(stale), { code: "ERR_ROLLOUT_STALE", message: /after 1 updates, which moved by/ });
});
