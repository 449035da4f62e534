// How the next token is chosen: uniforms, draws with their probabilities, what is kept out; and what a caller is told of
// every token.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseTokens, drawnPoints, seenIds, uniformAt } from "../../../src/models/decoder/token-choice.ts";
import type { ChosenToken, SampleOptions } from "../../../src/models/omni-model.ts";
import { indices, scope, type Tensor, tensor } from "../../../src/tensor/index.ts";
import { mixedPrompts, tinyThinker } from "../qwen-omni/tiny.ts";

/** Absolute, in log-probability. */
const LOGPROB_TOLERANCE = 1e-5;
const seeds = [1000, 1001, 1002, 1003, 1004, 1005];

test("tokens are told as they come, with the likeliest beside them, and a caller may end one sequence", () =>
  scope(() => {
    using model = tinyThinker(1);
    const prompts = mixedPrompts(model);
    const options: SampleOptions = { numSamples: 2, maxNewTokens: 20, temperature: 1, seeds };
    const plain = model.sample(prompts, options);
    const told = new Map<string, ChosenToken[]>();
    const endsAt = 3;
    const ended = model.sample(prompts, {
      ...options,
      numLikeliest: 4,
      onToken(prompt, sample, token) {
        const own = told.get(`${prompt}/${sample}`) ?? [];
        told.set(`${prompt}/${sample}`, [...own, token]);
        return prompt === 1 && own.length + 1 === endsAt ? "stop" : undefined;
      },
    });
    prompts.forEach((_, b) => {
      for (let i = 0; i < 2; i++) {
        const whole = plain[b]![i]!;
        const { ids, logprobs, truncated } = ended[b]![i]!;
        // Ending two sequences changes nothing for the others.
        assert.deepEqual(ids, b === 1 ? whole.ids.slice(0, endsAt) : whole.ids);
        if (b === 1 && whole.ids.length > endsAt) assert.equal(truncated, true);
        const tokens = told.get(`${b}/${i}`)!;
        assert.deepEqual(
          tokens.map(({ id, logprob }) => [id, logprob]),
          Array.from(ids, (id, t) => [id, logprobs[t]]),
        );
        for (const { id, logprob, likeliest } of tokens) {
          assert.equal(likeliest.length, 4);
          const known = likeliest.find((one) => one.id === id);
          if (known) assert.equal(known.logprob, logprob);
          else assert.ok(logprob <= likeliest[3]!.logprob);
          for (let k = 1; k < 4; k++) assert.ok(likeliest[k - 1]!.logprob >= likeliest[k]!.logprob);
        }
      }
    });
    assert.ok(
      plain[1]!.some(({ ids }) => ids.length > endsAt),
      "nothing was ended",
    );
  }));

test("uniforms are even, and the same for the same seed and step", () => {
  const numDraws = 20000;
  const bins = new Array<number>(10).fill(0);
  for (let i = 0; i < numDraws; i++) bins[Math.floor(uniformAt(i % 200, Math.floor(i / 200)) * 10)]!++;
  // Binomial(20000, 0.1): standard deviation 42; five of them.
  for (const count of bins) assert.ok(Math.abs(count - numDraws / 10) < 5 * 42, `${bins}`);
  assert.equal(uniformAt(7, 3), uniformAt(7, 3));
  assert.notEqual(uniformAt(7, 3), uniformAt(3, 7));
  assert.notEqual(uniformAt(7, 3), uniformAt(7 + 2 ** 32, 3));
});

test("tokens are drawn with their probabilities, and top-k, top-p, bans and penalties keep out what they should", () =>
  scope(() => {
    const numRows = 20000;
    const logits = tensor(Float32Array.of(Math.log(0.5), Math.log(0.3), Math.log(0.15), Math.log(0.05)), [1, 4]).expand(
      [numRows, 4],
    );
    const rows = Array.from({ length: numRows }, (_, row) => row);
    const points = drawnPoints(rows, 0, 1, "cpu").select(0, 0);
    const shares = (rules: Parameters<typeof chooseTokens>[1], banned: number[] = [], seen: Tensor | null = null) => {
      const ban = banned.length > 0 ? indices(banned) : null;
      const { tokens, logprobs } = chooseTokens(logits, rules, ban, seen, points);
      const picked = tokens.toInt32Array();
      assert.ok(
        Math.abs(logprobs.toFloat32Array()[0]! - Math.log([0.5, 0.3, 0.15, 0.05][picked[0]!]!)) < LOGPROB_TOLERANCE,
      );
      return [0, 1, 2, 3].map((id) => picked.filter((one) => one === id).length / numRows);
    };
    // Standard deviation of a share: at most sqrt(0.25 / 20000) = 0.0035.
    const near = (got: number[], want: number[]) => got.every((share, i) => Math.abs(share - want[i]!) < 0.018);
    assert.ok(near(shares({ temperature: 1 }), [0.5, 0.3, 0.15, 0.05]));
    assert.ok(!near(shares({ temperature: 2 }), [0.5, 0.3, 0.15, 0.05]));
    assert.ok(near(shares({ temperature: 1, topK: 2 }), [0.625, 0.375, 0, 0]));
    // 0.5 < 0.6 keeps the second; 0.8 >= 0.6 drops the third.
    assert.ok(near(shares({ temperature: 1, topP: 0.6 }), [0.625, 0.375, 0, 0]));
    assert.ok(near(shares({ temperature: 1 }, [0]), [0, 0.6, 0.3, 0.1]));
    assert.deepEqual(shares({ temperature: 0 }), [1, 0, 0, 0]);
    // All logits are negative, so a penalty of 2 doubles log 0.5 to log 0.25: the second wins.
    const seen = seenIds([Int32Array.of(0)], 4, "cpu").expand([numRows, 4]);
    assert.deepEqual(shares({ temperature: 0, repetitionPenalty: 2 }, [], seen), [0, 1, 0, 0]);
  }));

test("log-probabilities come at the temperature that is asked for; what is drawn is decided by the sampling's own", () =>
  scope(() => {
    const logits = tensor(Float32Array.of(2, 0, 0), [1, 3]);
    const choose = (logprobTemperature?: number) =>
      chooseTokens(
        logits,
        { temperature: 2, ...(logprobTemperature === undefined ? {} : { logprobTemperature }) },
        null,
        null,
        tensor(Float32Array.of(0.1), [1, 1]),
      );
    // softmax(2, 0, 0)[0] = e^2 / (e^2 + 2); at temperature 2: e / (e + 2)
    const [plain, tempered] = [choose(), choose(2)].map(({ logprobs }) => logprobs.item());
    assert.ok(Math.abs(plain! - Math.log(Math.E ** 2 / (Math.E ** 2 + 2))) < LOGPROB_TOLERANCE);
    assert.ok(Math.abs(tempered! - Math.log(Math.E / (Math.E + 2))) < LOGPROB_TOLERANCE);
    assert.deepEqual(choose(2).tokens.toInt32Array(), choose().tokens.toInt32Array());
  }));
