// A server of vLLM's shapes: a run works with it, and what may pass is tried again.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { startServer } from "../../serve/served-model.ts";
import { inChoices, mockedRuns, plainOverrides } from "../../support/mocked-run.ts";
import { maxNewTokens } from "../../support/served-run.ts";
import { type Faults, vllmMock } from "../../support/vllm-mock.ts";

const { run, withFaults, opened } = mockedRuns();

describe("a server that works", () => {
  test("gets plain sampling, one seed, lossless frames, and adapters by the names that it knows", async () => {
    await using mock = await vllmMock(opened().behind.address);
    const { metrics, rows } = await run(mock.address);
    assert.equal(metrics.length, 2);
    assert.ok(metrics[1]!["rollout/probe/moved"]! > 1e-4, "the new weights are seen");
    assert.ok(metrics[0]!["sampling/sampling_logp_difference/max"]! < 1e-5);
    const engines = new Set(
      (rows as unknown as { rollouts: { engine: { version: number } }[] }[]).map(
        ({ rollouts }) => rollouts[0]!.engine.version,
      ),
    );
    assert.deepEqual([...engines], [0, 1]);
    const request = mock.asked.find(({ max_tokens: most }) => most === maxNewTokens)!;
    const { messages, ...fields } = request as { messages: { role: string; content: { type: string }[] }[] };
    assert.deepEqual(
      messages.map(({ role, content }) => [role, content.map(({ type }) => type)]),
      [["user", ["video_url", "input_audio", "text"]]],
    );
    const [{ video_url: video }] = messages[0]!.content as unknown as [{ video_url: { url: string } }];
    const [head, first] = video.url.split(/[,]/);
    assert.equal(head, "data:video/jpeg;base64");
    assert.equal(Buffer.from(first!, "base64").subarray(1, 4).toString("latin1"), "PNG");
    const { clip } = opened().fitted[0]!;
    assert.deepEqual(fields, {
      model: "policy-v0",
      media_io_kwargs: { video: { fps: clip.fps, num_frames: clip.numFrames } },
      temperature: 1,
      top_p: 1,
      top_k: -1,
      min_p: 0,
      repetition_penalty: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      return_token_ids: true,
      return_tokens_as_token_ids: true,
      max_tokens: maxNewTokens,
      n: 4,
      logprobs: true,
      seed: (fields as unknown as { seed: number }).seed,
    });
    const weights = mock.calls.filter((call) => call.includes("lora_adapter"));
    assert.deepEqual(weights, [
      "POST /v1/load_lora_adapter",
      "POST /v1/unload_lora_adapter",
      "POST /v1/load_lora_adapter",
      "POST /v1/load_lora_adapter",
      "POST /v1/unload_lora_adapter",
    ]);
  });

  test("may still have an earlier run's adapters under the same names", async () => {
    await using mock = await vllmMock(opened().behind.address);
    const first = await run(mock.address);
    const second = await run(mock.address, { overrides: [...plainOverrides, "seed=5"] });
    assert.notEqual(first.weights, second.weights);
    const again = await run(mock.address);
    assert.equal(again.weights, first.weights);
  });

  test("reads a whole model again, where it is in development mode alone", async () => {
    const overrides = [...plainOverrides, "trainable=decoder", "learningRate=1e-3"];
    const { theatre, model } = opened();
    const own = await startServer(model, { name: "policy", allowWeights: theatre.root });
    await using mock = await vllmMock(own.address, { isInDevelopment: true });
    const { metrics, notices } = await run(mock.address, { overrides });
    assert.deepEqual(notices, []);
    assert.ok(metrics[1]!["rollout/probe/moved"]! > 1e-4, "the new weights are seen");
    assert.deepEqual(
      mock.calls.filter((call) => /rpc|reset|weight/.test(call)),
      [0, 1].flatMap(() => ["POST /collective_rpc", "POST /reset_prefix_cache"]),
    );
    await using plain = await vllmMock(own.address);
    await assert.rejects(run(plain.address, { overrides }), {
      code: "ERR_ROLLOUT_WEIGHTS",
      message: /404 of \/collective_rpc.*VLLM_SERVER_DEV_MODE=1/,
    });
    await own.close();
  });

  test("of slightly other probabilities is corrected for, and its logged weight is not 1", async () => {
    const perturbed = inChoices(({ logprobs }) => {
      logprobs!.content!.forEach((one, t) => {
        one.logprob += 0.03 * Math.sin(t) - 0.02;
      });
    });
    const overrides = ["rollouts=http://x"];
    const [exact, other] = [
      await withFaults({}, { overrides, steps: 1 }),
      await withFaults(perturbed, { overrides, steps: 1 }),
    ];
    const weight = (of: typeof exact) => of.metrics[0]!["sampling/correction/mean"]!;
    assert.ok(Math.abs(weight(exact) - 1) < 1e-5, `${weight(exact)}`);
    assert.ok(weight(other) > 1.005 && weight(other) < 1.05, `${weight(other)}`);
    assert.notEqual(other.weights, exact.weights);
    assert.notEqual(other.metrics[0]!.grad_norm, exact.metrics[0]!.grad_norm);
  });
});

describe("what may pass is tried again, and gives the same run", () => {
  let whole: string;
  before(async () => {
    whole = (await withFaults({}, { steps: 1 })).weights;
  });
  let numClamped = 0;
  const cases: [string, () => Faults, RegExp][] = [
    ["errors of the server", () => ({ statuses: [500, 503, 502, 429] }), /status 50\d: the engine is gone/],
    ["bodies that end in the middle", () => ({ halfClosed: 2 }), /aborted|beginning of an answer|socket hang up/],
    ["answers that do not come", () => ({ slow: 2 }), /no whole answer within 10 s/],
    [
      "a probability of 0 for what was drawn",
      () =>
        inChoices(({ logprobs }) => {
          if (numClamped++ === 0) logprobs!.content![0]!.logprob = -9999;
        }),
      /a log-probability of -9999/,
    ],
    [
      "answers that are missing",
      () => {
        let numShort = 0;
        return {
          reply: (reply, isProbe) => {
            if (!isProbe && numShort++ === 0) reply.choices.pop();
          },
        };
      },
      /3 answers in place of 4/,
    ],
  ];
  for (const [name, faults, said] of cases) {
    test(name, async () => {
      const { weights, notices, metrics } = await withFaults(faults(), { steps: 1, seconds: 10 });
      assert.equal(weights, whole);
      assert.match(notices.join("\n"), said);
      assert.ok(metrics[0]!["rollout/retries"]! > 0);
    });
  }

  test("a server that began again has no adapters: it is taught again", async () => {
    let numAsked = 0;
    const { weights, notices } = await withFaults(
      // The first time that completions are asked for, nobody knows the name.
      { model: (name) => (name === "policy-v0" && numAsked++ === 1 ? "gone" : name) },
      { steps: 1 },
    );
    assert.equal(weights, whole);
    assert.match(notices.join("\n"), /status 404: .*gone/);
  });
});
