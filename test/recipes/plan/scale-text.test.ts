// The same run side by side on 1, 8, 16 and 64 GPUs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { planScale } from "../../../src/recipes/plan/plan-model.ts";
import { scaleRows, scaleText } from "../../../src/recipes/plan/scale-text.ts";
import { planSettings } from "../../../src/recipes/plan/settings.ts";

test("a row for each, engines in proportion, and what does not fit is said", async () => {
  const settings = planSettings.parse({ gpu: "h100", gpus: 8, engines: 4, scale: true });
  const plans = await planScale("qwen2.5-omni-7b", settings);
  const rows = scaleRows(plans);
  assert.deepEqual(
    rows.map(({ gpus, engines, prompts, group }) => [gpus, engines, prompts, group]),
    [
      [1, 1, 8, 4],
      [8, 4, 1, 4],
      [16, 8, 1, 2],
      [64, 32, 1, 1],
    ],
  );
  assert.equal(rows[0]!.rankTraffic, 0);
  // Everything summed and gathered in bfloat16: twice the weights' bytes, less a rank's own part.
  assert.ok(rows[2]!.rankTraffic > rows[1]!.rankTraffic);
  const text = scaleText(plans);
  assert.match(text, /engines +memory of one/);
  assert.match(text, /longest part/);
  const small = scaleText(await planScale("qwen2.5-omni-7b", planSettings.parse({ gpu: "8", scale: true })));
  assert.match(small, /nothing fits/);
});
