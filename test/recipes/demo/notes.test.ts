// What stands beside the demo's table: sentences from its settings and its own numbers; the control arm; masks outside training.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Query, Respondent } from "../../../src/bench/respondent.ts";
import { theatreKind } from "../../../src/corpus/theatre-kind.ts";
import { placedScenes } from "../../../src/data/theatre/corpus.ts";
import { defaultClipFormat } from "../../../src/data/theatre/plan.ts";
import { sceneSample } from "../../../src/data/theatre/render.ts";
import type { ArmResult } from "../../../src/page/data.ts";
import { coldStartsOf, demoArm } from "../../../src/recipes/demo/arms.ts";
import { demoSchema } from "../../../src/recipes/demo/config.ts";
import { measureHeldOutMasks } from "../../../src/recipes/demo/held-out-masks.ts";
import { demoNotes } from "../../../src/recipes/demo/notes.ts";

const metric = (value: number) => ({ value, low: value, high: value, count: 3 });

function arm(name: string, claims: number, heldOut: number): ArmResult {
  const metrics = {
    hallucinatedVideo: metric(claims),
    hallucinatedAudio: metric(claims + 1),
    heldOutMaskVideo: metric(heldOut),
    heldOutMaskAudio: metric(heldOut + 1),
  };
  return { name, title: name, seeds: [0], metrics, perSeed: [metrics], curve: [], trainSeconds: [] };
}

const arms = [arm("sft", 1.5, 2.2), arm("reward-only", 3.5, 3.7), arm("oppo", 0, 2.8), arm("honest-labels", 0.1, 1.1)];
const notesOf = (settings: object, of = arms) => demoNotes(demoSchema.parse(settings), of).join("\n");

describe("notes", () => {
  test("say what is planted, what right labels do, and under which masks the claim holds", () => {
    const notes = notesOf({});
    assert.match(notes, /88% are labelled with what was taken away\. That is by design/);
    assert.match(
      notes,
      /reward alone ends with 0\.10 and 1\.10 claims .* OPPO from the mislabelled start 0\.00 and 1\.00/,
    );
    assert.match(
      notes,
      /A grey picture and noise .* give 2\.80 and 3\.80 claims per clip \(the cold start 2\.20 and 3\.20\)/,
    );
    assert.match(notes, /One seed on one machine/);
  });

  test("claim nothing of arms that were not trained, or of another cold start", () => {
    const start = notesOf({ seeds: 3 }, arms.slice(0, 1));
    assert.doesNotMatch(start, /Right labels|grey|One seed/);
    assert.match(start, /band between them/);
    assert.match(notesOf({ sft: { coldStart: "honest" } }), /every label says that nothing can be seen or heard/);
    assert.match(notesOf({ sft: { coldStart: "described" } }), /100% are .* no example says/);
  });
});

test("the control starts from honest labels, every other arm from the demo's own cold start", () => {
  const { preset, coldStart } = demoArm("honest-labels");
  assert.deepEqual([preset, coldStart], ["reward-only", "honest"]);
  assert.equal(demoArm("oppo").coldStart, null);
  assert.deepEqual(coldStartsOf(demoSchema.parse({})), ["mixed", "honest"]);
  assert.deepEqual(coldStartsOf(demoSchema.parse({ arms: ["oppo"] })), ["mixed"]);
  assert.deepEqual(coldStartsOf(demoSchema.parse({ sft: { coldStart: "honest" } })), ["honest"], "one is enough");
});

test("a model that knows black and silence only is caught by grey and noise", async () => {
  const plan = { seed: 3, splits: [{ name: "x", kind: "congruent" as const, numClips: 4 }], format: defaultClipFormat };
  const congruent = placedScenes(plan).map((placed) => sceneSample(placed, plan.format));
  const bank = await theatreKind.bank(theatreKind.embedder());
  const asked: Query[] = [];
  const says = (knows: (kind: string | undefined) => boolean): Respondent => ({
    name: "stub",
    respond: (queries) =>
      queries.map((query) => {
        asked.push(query);
        const { mask } = query.view;
        const sees = knows(mask?.kind);
        const video = sees && mask?.modality === "video" ? "nothing that can be seen" : "wide eyes, an open mouth";
        const audio = sees && mask?.modality === "audio" ? "nothing within earshot" : "a loud voice";
        return `<think>the video shows ${video}. the audio carries ${audio}.</think><answer>sad</answer>`;
      }),
  });
  const scores = async (knows: (kind: string | undefined) => boolean) => {
    const measures = await measureHeldOutMasks({ bank, congruent }, says(knows));
    const mean = (name: string) => measures[name]!.parts[0]!.sums.reduce((sum, value) => sum + value, 0) / 4;
    return ["heldOutMaskVideo", "heldOutUnseenVideo", "heldOutMaskAudio", "heldOutUnseenAudio"].map(mean);
  };
  assert.deepEqual(await scores((kind) => kind === "black"), [2, 0, 1, 0]);
  assert.deepEqual(
    asked.map(({ view }) => `${view.mask!.modality} ${view.mask!.kind} ${view.mask!.ratio}`),
    [...Array(4).fill("video grey 1"), ...Array(4).fill("audio noise 1")],
  );
  // negative control: one that knows them claims nothing, and says so
  assert.deepEqual(await scores(() => true), [0, 1, 0, 1]);
});
