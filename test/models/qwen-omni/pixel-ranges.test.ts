// The range of pixels that a checkpoint's files give pictures and videos, in transformers' order; published directories keep
// the numbers of qwen-omni-utils.
import assert from "node:assert/strict";
import { test } from "node:test";
import { imagePixelLimits } from "../../../src/media/sampling.ts";
import { imageRange, videoSettings } from "../../../src/models/qwen-omni/pixel-ranges.ts";
import { defaultVideoSettings } from "../../../src/models/qwen-omni/processor.ts";

const files = (contents: Readonly<Record<string, unknown>>) =>
  new Map(Object.entries(contents).map(([name, value]) => [`${name}.json`, JSON.stringify(value)]));
const image = (contents: Readonly<Record<string, unknown>>) => imageRange(files(contents), "dir");
const video = (contents: Readonly<Record<string, unknown>>) => {
  const { minPixels, maxPixels } = videoSettings(files(contents), "dir");
  return { minPixels, maxPixels };
};

const published = { min_pixels: 3136, max_pixels: 12845056 };
const small = { min_pixels: 3136, max_pixels: 12544 };

test("pictures: both names of both ends, the nested form first, qwen-omni-utils' range without any", () => {
  const wanted = { minPixels: 3136, maxPixels: 12544 };
  assert.deepEqual(image({ preprocessor_config: small }), wanted);
  assert.deepEqual(image({ preprocessor_config: { size: { shortest_edge: 3136, longest_edge: 12544 } } }), wanted);
  // min_pixels and max_pixels win over the edges.
  assert.deepEqual(
    image({ preprocessor_config: { ...small, size: { shortest_edge: 56, longest_edge: 784 } } }),
    wanted,
  );
  assert.deepEqual(image({ preprocessor_config: published, processor_config: { image_processor: small } }), wanted);
  assert.deepEqual(image({ preprocessor_config: small, processor_config: { chat_template: "x" } }), wanted);
  assert.deepEqual(image({ preprocessor_config: { max_pixels: 12544 } }), wanted);
  assert.deepEqual(image({}), imagePixelLimits);
  assert.deepEqual(image({ preprocessor_config: published }), imagePixelLimits);
  assert.notDeepEqual(image({ preprocessor_config: small }), imagePixelLimits);
});

test("videos: their own file, else qwen-omni-utils' range within the picture's", () => {
  const { minPixels, maxPixels } = defaultVideoSettings;
  assert.deepEqual(video({}), { minPixels, maxPixels });
  assert.deepEqual(video({ preprocessor_config: published }), { minPixels, maxPixels });
  assert.deepEqual(video({ preprocessor_config: small }), { minPixels: 12544, maxPixels: 12544 });
  assert.deepEqual(video({ preprocessor_config: small, video_preprocessor_config: published }), {
    minPixels: 3136,
    maxPixels: 12845056,
  });
  assert.deepEqual(video({ video_preprocessor_config: published, processor_config: { video_processor: small } }), {
    minPixels: 3136,
    maxPixels: 12544,
  });
});

test("a range that no picture can have is refused with its file", () => {
  assert.throws(() => image({ preprocessor_config: { min_pixels: 5000, max_pixels: 4000 } }), {
    code: "ERR_CHECKPOINT_CONFIG",
    message: /preprocessor_config\.json.*expected at most max_pixels, 4000, got 5000/,
  });
  assert.throws(() => image({ processor_config: { image_processor: { max_pixels: -1 } } }), {
    code: "ERR_CHECKPOINT_CONFIG",
    message: /processor_config\.json: image_processor/,
  });
});
