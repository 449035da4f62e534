// Settings that do nothing under others, of every program: each is refused where a person gives it, and taken where it works.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { dataCheckSettings, dataExportSettings } from "../../src/recipes/data/settings.ts";
import { calibrateIdle, calibrateSettings, embedIdle, embedSettings } from "../../src/recipes/embed/settings.ts";
import { extractIdle, extractSettings } from "../../src/recipes/evidence/settings.ts";
import { inferIdle, inferSettings } from "../../src/recipes/infer/settings.ts";
import { initIdle, initSettings } from "../../src/recipes/init/settings.ts";
import { mepBuildIdle, mepBuildSettings } from "../../src/recipes/mep/build-settings.ts";
import { mepCompareSettings, mepRunIdle, mepRunSettings } from "../../src/recipes/mep/run-settings.ts";
import { pullSettings } from "../../src/recipes/pull/settings.ts";
import { mmeIdle, mmeSettings } from "../../src/recipes/score/mme-emotion/settings.ts";
import { questionsSettings } from "../../src/recipes/score/questions/settings.ts";
import { explainSettings, scoreIdle, scoreSettings } from "../../src/recipes/score/settings.ts";
import { resolveConfig } from "../../src/run/config.ts";
import type { IdleRule } from "../../src/run/idle-settings.ts";
import { addressSettings } from "../../src/serve/address-settings.ts";
import { serveModelSettings } from "../../src/serve/model/settings.ts";
import { serveRewardIdle, serveRewardSettings } from "../../src/serve/reward/settings.ts";
import { trainSchema } from "../../src/train/config.ts";
import { methodIdle } from "../../src/train/idle.ts";

interface Case {
  readonly schema: z.ZodType;
  // biome-ignore lint/suspicious/noExplicitAny: rules of several schemas in one list
  readonly idle: readonly IdleRule<any>[];
  /** What must be given. */
  readonly base: readonly string[];
  /** Idle beside the base, and what makes it work. */
  readonly pairs: readonly (readonly [idle: string, working: readonly string[]])[];
}

const server = "http://h/v1#m";
/** Of training, which has more to it than its schema. */
const method: readonly (readonly [idle: string, working: readonly string[]])[] = [
  ["lora.rank=4", ["trainable=lora"]],
  ["clipHigh=0.3", ["oldLogprobs=sampler"]],
  ["reward.maxUnjudged=0.5", ["reward.judged=[{ name: logic, weight: 1 }]"]],
  ["rolloutAhead=1", ["rollouts=http://h:1"]],
  ["rolloutKeyEnv=K", ["rollouts=http://h:1,http://g:2/v1"]],
  ["rolloutCorrectionCap=2", ["rollouts=http://h:1"]],
  ["rolloutCorrectionCap=2", ["rolloutCorrection=sequence"]],
  ["advantageMinStd=1", ["advantageScale=batch"]],
  ["perception.maskRatio=1", ["perception.views=papo"]],
  ["perception.maskFamily.video=[blur, swap]", ["perception.views=oppo"]],
  ["perception.support=mask", ["perception.rolloutShare=0.5"]],
  ["perception.target=calibrated", ["perception.views=oppo", "perception.perceptionLossWeight=1"]],
  ["perception.holdWeight=2", ["perception.perceptionLossWeight=1", "perception.target=calibrated"]],
  ["perception.capNats=1", ["perception.perceptionLossWeight=1"]],
  ["perception.anchorTo=full", ["perception.anchorWeight=1"]],
  ["referenceKlEstimator=k1", ["referenceKlWeight=1"]],
  ["reward.emptyKind=skip", ["reward.terms=[{ name: omni, weight: 1 }]"]],
];

const cases: Readonly<Record<string, Case>> = {
  "mep build": {
    schema: mepBuildSettings,
    idle: mepBuildIdle,
    base: ["out=o"],
    pairs: [
      ["root=r", ["dataset=d"]],
      ["split=s", ["dataset=d"]],
      ["client.timeout=3", [`embedder=endpoint:${server}`]],
      ["client.cache=c", ["embedder=qwen3:m"]],
    ],
  },
  "mep run": {
    schema: mepRunSettings,
    idle: mepRunIdle,
    base: ["out=o"],
    pairs: [
      ["extra={}", [`endpoint=${server}`]],
      ["decomposeTokens=9", [`decompose=${server}`]],
      ["maxSkipped=9", ["decompose=offline"]],
      ["client.concurrency=2", [`decompose=${server}`]],
      ["client.keyEnv=K", [`embedder=endpoint:${server}`]],
    ],
  },
  "mep run, endpoint": {
    schema: mepRunSettings,
    idle: mepRunIdle,
    base: ["out=o", `endpoint=${server}`],
    pairs: [
      ["device=cuda", ["endpoint=null"]],
      ["batch=2", ["endpoint=null"]],
    ],
  },
  "evidence extract": {
    schema: extractSettings,
    idle: extractIdle,
    base: ["out=o"],
    pairs: [
      ["client.maxRequests=3", [`endpoint=${server}`]],
      ["replyTokens=3", [`endpoint=${server}`]],
      ["split=train", ["dataset=d"]],
    ],
  },
  embed: {
    schema: embedSettings,
    idle: embedIdle,
    base: ["embedder=theatre"],
    pairs: [
      ["device=cuda", ["embedder=qwen3:m"]],
      ["dimension=8", [`embedder=endpoint:${server}`]],
    ],
  },
  "embed calibrate": {
    schema: calibrateSettings,
    idle: calibrateIdle,
    base: ["embedder=theatre"],
    pairs: [["clauseInstruction=x", ["embedder=qwen3:m"]]],
  },
  infer: {
    schema: inferSettings,
    idle: inferIdle,
    base: ["model=m"],
    pairs: [
      ["topP=0.9", ["temperature=1"]],
      ["seed=3", ["mask=video=0.5"]],
    ],
  },
  init: {
    schema: initSettings,
    idle: initIdle,
    base: ["arch=tiny", "random=true"],
    pairs: [["dtype=bfloat16", ["arch=qwen2.5-omni-3b"]]],
  },
  score: {
    schema: scoreSettings,
    idle: scoreIdle,
    base: [],
    pairs: [
      ["kind=open", ["truth=t.csv"]],
      ["client.timeout=3", [`judge=${server}`]],
    ],
  },
  "score mme-emotion": {
    schema: mmeSettings,
    idle: mmeIdle,
    base: ["root=r"],
    pairs: [
      ["media=m", [`judge=${server}`]],
      ["steps=http://h/v1#n", [`judge=${server}`]],
      ["client.timeout=3", [`ask=${server}`]],
      ["askTokens=3", [`ask=${server}`]],
    ],
  },
  "serve reward": {
    schema: serveRewardSettings,
    idle: serveRewardIdle,
    base: [],
    pairs: [
      ["maxSkippedRows=3", ["data=d"]],
      ["clauseInstruction=x", [`embedder=endpoint:${server}`]],
    ],
  },
};

test("a setting without effect is refused beside what makes it idle, and taken beside what makes it work", () => {
  for (const [name, { schema, idle, base, pairs }] of Object.entries(cases)) {
    assert.doesNotThrow(() => resolveConfig(schema, { overrides: base }, idle), name);
    for (const [given, working] of pairs) {
      assert.throws(
        () => resolveConfig(schema, { overrides: [...base, given] }, idle),
        { code: "ERR_CONFIG", message: /^--set .* has no effect: .*\. Leave it out, or change that\.$/ },
        `${name}: ${given}`,
      );
      const together = [...base, ...working, given];
      assert.doesNotThrow(() => resolveConfig(schema, { overrides: together }, idle), `${name}: ${together}`);
    }
  }
});

test("so it is with the method: each setting is idle beside what switches it off", () => {
  const off = ["advantageScale=none", "referenceKlWeight=0", "reward.terms=[{ name: format, weight: 1 }]"];
  const noViews = [...off, "perception.views=none"];
  const noWeights = [...off, "perception.perceptionLossWeight=0", "perception.anchorWeight=0"];
  for (const [given, working] of method) {
    const base = /^perception\.(maskRatio|maskFamily|support)/.test(given) ? noViews : noWeights;
    const resolve = (...more: string[]) => resolveConfig(trainSchema, { overrides: [...base, ...more] }, methodIdle);
    assert.doesNotThrow(() => resolve(), given);
    assert.throws(() => resolve(given), /has no effect/, given);
    assert.doesNotThrow(() => resolve(...working, given), given);
  }
});

test("calibration takes a bank or a corpus, not both; settings that must be given are asked for", () => {
  assert.throws(
    () => resolveConfig(calibrateSettings, { overrides: ["embedder=theatre", "bank=a", "data=b"] }),
    /expected --bank or --data, got both/,
  );
  for (const schema of [dataExportSettings, initSettings, mepBuildSettings, questionsSettings]) {
    assert.throws(() => resolveConfig(schema, {}), { code: "ERR_CONFIG", isMissing: true });
  }
  assert.equal(addressSettings(8000, 1).port.parse(undefined), 8000);
  assert.throws(() => addressSettings(8000, 1).port.parse(70000));
  for (const schema of [dataCheckSettings, mepCompareSettings, pullSettings, explainSettings, serveModelSettings]) {
    assert.doesNotThrow(() => resolveConfig(schema, {}));
  }
});
