// The second troupe plays the same scenes with other faces, voices and lines; the first plays as it always did.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { placedScenes } from "../../../src/data/theatre/corpus.ts";
import { drawScene } from "../../../src/data/theatre/draw.ts";
import { drawLook } from "../../../src/data/theatre/look.ts";
import { defaultPlan } from "../../../src/data/theatre/plan.ts";
import { clipPath, sceneSample } from "../../../src/data/theatre/render.ts";
import { stageFrames } from "../../../src/data/theatre/stage.ts";
import { secondLines, secondNeutralLines } from "../../../src/data/theatre/troupes.ts";
import { speak } from "../../../src/data/theatre/voice.ts";
import { wardrobes } from "../../../src/data/theatre/wardrobe.ts";
import { emotionalLines, neutralLines } from "../../../src/data/theatre/world.ts";

/** Of rows, paths, looks and a voice of the plan below, made before there was a second troupe. */
const knownCorpus = "86c4eebc77bcb747";

test("a corpus that names no troupe is what it was, to the byte", () => {
  const plan = { ...defaultPlan, splits: defaultPlan.splits.map((split) => ({ ...split, numClips: 20 })) };
  const hash = createHash("sha256");
  const all = placedScenes(plan);
  for (const placed of all) {
    const row = [clipPath(placed, plan.format), sceneSample(placed, plan.format), drawLook(placed.scene.seed)];
    hash.update(JSON.stringify(row));
  }
  hash.update(speak(all[0]!.scene, 2, 16000).waveform);
  assert.equal(hash.digest("hex").slice(0, 16), knownCorpus);
});

test("the second troupe shows the same states with other looks, lines, paths and sounds", () => {
  for (let seed = 0; seed < 40; seed++) {
    const [first, second] = [drawScene("congruent", seed), drawScene("congruent", seed, "second")];
    assert.deepEqual(
      [second.visual, second.acoustic, second.audioEmotion],
      [first.visual, first.acoustic, first.audioEmotion],
    );
    assert.deepEqual([first.troupe, second.troupe], [undefined, "second"]);
    const [mine, theirs] = [drawLook(first.seed), drawLook(second.seed, "second")];
    assert.ok(!wardrobes.first.skinTones.includes(theirs.skin) && wardrobes.first.skinTones.includes(mine.skin));
    assert.ok(theirs.scale < mine.scale && theirs.jaw !== mine.jaw);
    const place = (scene: typeof first) => clipPath({ id: "clip", split: "s", scene }, defaultPlan.format);
    assert.notEqual(place(first), place(second));
  }
  const [first, second] = [drawScene("congruent", 5), drawScene("congruent", 5, "second")];
  const same = { ...second, subtitle: first.subtitle, seed: first.seed };
  assert.notDeepEqual(speak(same, 1, 16000).waveform, speak(first, 1, 16000).waveform);
  const picture = (scene: typeof first) => {
    const lips = { values: new Float32Array(1), rateHz: 1 };
    return Buffer.from([...stageFrames(scene, lips, { size: 64, fps: 1, numFrames: 1 })][0]!);
  };
  assert.notDeepEqual(picture(same), picture(first));
});

test("the troupes have no line in common", () => {
  const own = new Set([...Object.values(emotionalLines).flat(), ...neutralLines]);
  for (const line of [...Object.values(secondLines).flat(), ...secondNeutralLines]) assert.ok(!own.has(line), line);
});
