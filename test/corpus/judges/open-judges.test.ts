// The judges of a run: none where none is asked for, and no term without one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openJudges } from "../../../src/corpus/judges/open-judges.ts";
import { parseResponse } from "../../../src/text/response.ts";
import { startMockEndpoint } from "../../support/mock-endpoint.ts";
import { testSample, textRollout } from "../../support/rollouts.ts";

const judged = [{ name: "context", weight: 0.5 }] as const;

test("no terms need no judge; terms without one are refused", () => {
  using none = openJudges({ judged: [], maxUnjudged: 0 }, null);
  assert.deepEqual(none.terms, []);
  assert.throws(() => openJudges({ judged, maxUnjudged: 0 }, null), { code: "ERR_REWARD_JUDGE" });
});

test("a term asks the judge that is named", async (t) => {
  const server = await startMockEndpoint(t, { answer: () => '{"points":5}' });
  using judges = openJudges({ judged, maxUnjudged: 0 }, { url: server.url, model: "m", key: null, cacheFolder: null });
  const [term] = judges.terms;
  assert.deepEqual([term!.name, term!.weight], ["context", 0.5]);
  const rollout = textRollout("<think>he cries</think><answer>sad</answer>");
  const sample = testSample("x", { reasoning: "tears" });
  const routing = { cues: [], clauses: [], similarity: new Float32Array(0) };
  const context = { sample, rollout, response: parseResponse(rollout.text), routing };
  assert.deepEqual(await term!.judge([[context]]), [[1]]);
  assert.equal(server.requests[0]!.body.model, "m");
});
