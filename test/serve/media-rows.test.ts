// Tower outputs of media that come again: decoded and encoded once, the same numbers, let go of in time, no tensor left.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClipFeatures } from "../../src/models/omni-model.ts";
import { MediaRows } from "../../src/serve/model/media/media-rows.ts";
import { noGrad, numLiveTensors, scope } from "../../src/tensor/index.ts";
import { stripes, tinyThinker } from "../models/qwen-omni/tiny.ts";

const bytesPerNumber = 4;

test("media are decoded and encoded once, the oldest go first, and nothing stays behind", async () => {
  const before = numLiveTensors();
  const model = tinyThinker(1);
  const features = [1, 2, 3].map((seed) => model.features(model.fitClip(stripes(seed))));
  const silent = { ...features[0]!, audio: null };
  // 32 video and 50 audio rows per clip (test/models/qwen-omni/thinker.test.ts).
  const width = model.config.text.hiddenSize;
  const clipBytes = (32 + 50) * width * bytesPerNumber;
  const media = new MediaRows(model, 2 * clipBytes);
  let numDecoded = 0;
  const ask = (key: string, own: ClipFeatures) =>
    media.shapeOf(key, async () => {
      numDecoded++;
      return own;
    });

  // In one batch: a clip twice, another, and a silent one.
  const shapes = [await ask("a", features[0]!), await ask("a", features[0]!), await ask("b", features[1]!)];
  assert.equal(numDecoded, 2);
  await ask("s", silent);
  media.encodeWaiting();
  assert.deepEqual(shapes[1]!.video!.key, features[0]!.video!.key);
  scope(() => {
    const [alone] = noGrad(() => model.encode([features[0]!]));
    const { video, audio } = media.rows("a");
    const worst = (x: typeof video, y: typeof video) => x!.sub(y!).abs().max().item();
    assert.ok(worst(video, alone!.video) < 1e-5 && worst(audio, alone!.audio) < 1e-5);
    assert.ok(worst(video, media.rows("b").video) > 1e-3, "another clip has other rows");
    assert.equal(media.rows("s").audio, null);
  });

  // a is used again, so b is the oldest: a and s stay.
  assert.deepEqual(await ask("a", features[0]!), model.shapeOf(features[0]!));
  assert.equal(numDecoded, 3);
  media.trim();
  await ask("s", silent);
  await ask("a", features[0]!);
  assert.equal(numDecoded, 3, "known");
  await ask("b", features[1]!);
  assert.equal(numDecoded, 4, "let go of");
  media.encodeWaiting();
  assert.ok(media.rows("b").video !== null);

  media[Symbol.dispose]();
  model[Symbol.dispose]();
  assert.equal(numLiveTensors(), before);
});
