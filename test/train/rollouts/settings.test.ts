// Settings of rollout servers: addresses, and what is corrected where nothing was said.
import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveConfig } from "../../../src/run/config.ts";
import { trainSchema } from "../../../src/train/config.ts";
import { requireCompatible } from "../../../src/train/method/compatible.ts";
import { changeableRollouts, correctionOf, serverAddresses } from "../../../src/train/rollouts/settings.ts";

const config = (...overrides: string[]) => resolveConfig(trainSchema, { overrides });

test("addresses are read with or without their /v1, and refused where they are none", () => {
  assert.deepEqual(serverAddresses("http://a:1/v1/, https://b/x"), ["http://a:1", "https://b/x"]);
  for (const text of ["a:1", "http://", "http://a,http://a/", "http://u:p@a", "http://a#m", ""]) {
    assert.throws(() => config(`rollouts=${JSON.stringify(text)}`), { code: "ERR_CONFIG" }, text);
  }
  assert.equal(config("rollouts=http://a:1,http://b:2").rollouts, "http://a:1,http://b:2");
  assert.throws(() => config("rollouts=http://a", "rolloutAhead=2"), { code: "ERR_CONFIG" });
});

test("what servers sampled is corrected per token, what this process sampled is not", () => {
  assert.deepEqual(correctionOf(config()), { form: "none", cap: 3 });
  assert.deepEqual(correctionOf(config("rollouts=http://a", "rolloutCorrectionCap=2")), { form: "token", cap: 2 });
  assert.deepEqual(correctionOf(config("rolloutCorrection=sequence")), { form: "sequence", cap: 3 });
  assert.equal(correctionOf(config("rollouts=http://a", "oldLogprobs=sampler")).form, "none");
  assert.equal(correctionOf(config("rollouts=http://a", "oldLogprobs=start")).form, "token");
});

test("a run may go on with other servers, and not one step further behind", () => {
  assert.ok(changeableRollouts.includes("rollouts") && !changeableRollouts.includes("rolloutAhead"));
  assert.throws(() => requireCompatible(config("rollouts=http://a", "perception.rolloutShare=0.5")), {
    code: "ERR_CONFIG",
    message: /degraded clips/,
  });
});
