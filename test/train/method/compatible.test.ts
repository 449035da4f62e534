// Settings that do not go together are refused by name, reason and remedy; presets and their neighbours pass.
import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveTrain } from "../../../src/recipes/train/run-config.ts";
import { resolveConfig } from "../../../src/run/config.ts";
import { trainSchema } from "../../../src/train/config.ts";
import { requireCompatible } from "../../../src/train/method/compatible.ts";
import { presets } from "../../../src/train/presets.ts";

const config = (...overrides: string[]) => resolveConfig(trainSchema, { overrides });
const refused = (reason: RegExp, ...overrides: string[]) =>
  assert.throws(() => requireCompatible(config(...overrides)), { code: "ERR_CONFIG", message: reason });

test("updates, mini-batches, a reference without a copy, spans of no term", () => {
  refused(/^updatesPerRollout: expected oldLogprobs sampler or start for 2 updates/, "updatesPerRollout=2");
  refused(/expected a multiple of the 2 mini-batches/, "updatesPerRollout=3", "miniBatches=2", "oldLogprobs=start");
  refused(/^miniBatches: expected at most the 4 prompts/, "miniBatches=5", "promptsPerStep=4");
  refused(/got lora, whose reference/, "referenceSyncEvery=2", "trainable=lora");
  refused(
    /expected parts decoder, got decoder, towers/,
    "referenceSyncEvery=2",
    "trainable=full",
    "parts=[decoder, towers]",
  );
  const span = (term: string) => `{ term: ${term}, span: think }`;
  refused(/has a weight \(accuracy, format, omni\), got "logic"/, `advantageSpans=[${span("logic")}]`);
  refused(/expected every term once, got "omni" twice/, `advantageSpans=[${span("omni")}, ${span("omni")}]`);
  const unpaid = "reward.terms=[{ name: omni, weight: 0 }, { name: format, weight: 1 }]";
  refused(/got "omni"\. Name one of them, or give it a weight/, unpaid, `advantageSpans=[${span("omni")}]`);
});

test("probes and what pays for them; a prompt is one thing; no judge, no server reads them", () => {
  const paid = "reward.terms=[{ name: format, weight: 1 }, { name: verdict, weight: 1 }]";
  refused(/^probeShare: expected the term verdict/, "probeShare=0.2");
  refused(/^reward\.terms: expected probeShare above 0 for the term verdict/, paid);
  refused(
    /expected at most 0\.5 beside perception\.rolloutShare 0\.5/,
    paid,
    "probeShare=0.6",
    "perception.rolloutShare=0.5",
  );
  refused(/^probeShare: expected 0 where servers sample/, paid, "probeShare=0.5", "rollouts=http://a");
  refused(/beside judged rewards \(logic\)/, paid, "probeShare=0.5", "reward.judged=[{ name: logic, weight: 1 }]");
  requireCompatible(config(paid, "probeShare=0.5", "perception.rolloutShare=0.5"));
});

test("what goes together passes", () => {
  for (const { config: preset } of Object.values(presets)) requireCompatible(resolveConfig(trainSchema, { preset }));
  requireCompatible(config("updatesPerRollout=4", "miniBatches=2", "oldLogprobs=sampler"));
  requireCompatible(config("referenceSyncEvery=2", "trainable=full", "parts=[decoder]"));
  requireCompatible(config("advantageSpans=[{ term: omni, span: think }]"));
});

test("the command refuses them before anything is loaded, and options without effect with them", () => {
  const given = ["run=r", "model=m", "data=d"];
  const problem =
    (...overrides: string[]) =>
    () =>
      resolveTrain({ overrides: [...given, ...overrides] });
  assert.throws(problem("updatesPerRollout=2"), /expected oldLogprobs sampler or start/);
  const idle: readonly (readonly [RegExp, ...string[]])[] = [
    [/ratioLevel=sequence has no effect: oldLogprobs is current/, "ratioLevel=sequence"],
    [/referenceKlFall=0\.3 has no effect: the weight does not fall/, "referenceKlFall=0.3"],
    [/referenceKlFloor=0\.3 has no effect: referenceKlWeight is 0/, "referenceKlWeight=0", "referenceKlFloor=0.3"],
    [/referenceSyncMix=0\.3 has no effect: the reference stays/, "referenceSyncMix=0.3"],
    [
      /referenceSyncEvery=3 has no effect: nothing is held/,
      "preset=baseline",
      "referenceKlWeight=0",
      "referenceSyncEvery=3",
    ],
  ];
  for (const [message, ...overrides] of idle) assert.throws(problem(...overrides), message);
  resolveTrain({ overrides: [...given, "oldLogprobs=start", "ratioLevel=sequence", "clipLow=3e-4", "clipHigh=4e-4"] });
  resolveTrain({ overrides: [...given, "referenceKlFloor=0.25", "referenceKlFall=0.3"] });
  assert.throws(problem("groupSize=1"), /groupSize: expected number to be >=2, got 1/);
});
