// A benchmark under other masks: what is hidden is degraded, what is not stays, and everyone is shown the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { degradedRespondent, kindText, nextOf } from "../../src/bench/degraded.ts";
import { intactView, maskedView, type Query } from "../../src/bench/respondent.ts";
import { testSample } from "../support/rollouts.ts";

const samples = ["one", "two", "three"].map((id) => testSample(id, {}));
const [one, two, three] = samples as [(typeof samples)[0], (typeof samples)[0], (typeof samples)[0]];

async function shownOf(queries: readonly Query[]): Promise<Query["view"][]> {
  const shown: Query["view"][] = [];
  const inner = {
    name: "inner",
    respond: (asked: readonly Query[]) => {
      shown.push(...asked.map(({ view }) => view));
      return asked.map(() => "");
    },
  };
  const masks = { video: { kind: "blur", dose: 0.5 } };
  await degradedRespondent(inner, masks, () => [two]).respond(queries);
  return shown;
}

test("a hidden stream of a modality with a mask is played and degraded; all else is as it was", async () => {
  const views = [intactView(one), maskedView(one, "video"), maskedView(one, "audio")];
  const shown = await shownOf(views.map((view) => ({ prompt: "?", view })));
  assert.deepEqual([shown[0], shown[2]], [views[0], views[2]]);
  const { mask, ...streams } = shown[1]!;
  assert.deepEqual(streams, intactView(one));
  assert.deepEqual([mask!.modality, mask!.kind, mask!.ratio, mask!.partners], ["video", "blur", 0.5, [two]]);
  const [again] = await shownOf([{ prompt: "another", view: maskedView(one, "video") }]);
  assert.equal(again!.mask!.seed, mask!.seed);
  const [other] = await shownOf([{ prompt: "?", view: maskedView(three, "video") }]);
  assert.notEqual(other!.mask!.seed, mask!.seed);
});

test("partners are the next clips of the list, never the clip itself", () => {
  assert.deepEqual(nextOf(samples, three, 1), [one]);
  assert.deepEqual(nextOf(samples, two, 4), [three, one]);
  assert.deepEqual(nextOf([one], one, 4), []);
  assert.equal(kindText({ kind: "blur", dose: 0.5 }), "blur:0.5");
});
