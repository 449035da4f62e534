// Towers, projectors and gate against the reference's own, stage by stage where it stored them, each with mistakes that must show.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { WeightSource } from "../../../src/models/decoder/projection.ts";
import type { ProjectorConfig } from "../../../src/models/human-omni/config/config.ts";
import { PROJECTOR } from "../../../src/models/human-omni/parameters.ts";
import { fusedRows } from "../../../src/models/human-omni/prompt.ts";
import { encodeSounds, hearSounds } from "../../../src/models/human-omni/towers/audio-tower.ts";
import {
  bottleneck,
  compressed,
  convolutionBranch,
  faceBranch,
  tokenLists,
} from "../../../src/models/human-omni/towers/projector.ts";
import { encodeQuestions, questionShares } from "../../../src/models/human-omni/towers/question-gate.ts";
import { videoTokens } from "../../../src/models/human-omni/towers/tokens.ts";
import { encodeFrames } from "../../../src/models/human-omni/towers/vision-tower.ts";
import { openSafetensors, type SafetensorsFile, scope, type Tensor } from "../../../src/tensor/index.ts";
import { createWordPiece } from "../../../src/text/word-piece.ts";
import { testDevice } from "../../support/device.ts";
import { distance, goldenJson, goldenOptions, goldenRoot, withCheckpoint, withGolden } from "./golden.ts";

const TOLERANCE = 2e-5;
const SHARE_TOLERANCE = 2e-6;

function close(got: Tensor, want: Tensor, what: string, tolerance = TOLERANCE): void {
  const worst = distance(got, want);
  assert.ok(worst <= tolerance, `${what}: ${worst}`);
}

/** What a mistake moves, beside what the reference's own list says of it. */
function shows(got: Tensor, want: Tensor, least: number, what: string): void {
  const worst = distance(got, want);
  assert.ok(worst > least, `${what} moves ${worst}, expected more than ${least}`);
}

function pixelsOf(file: SafetensorsFile): Tensor {
  const levels = file.tensor("pixel_u8_squash").to("float32").permute([0, 3, 1, 2]).contiguous();
  return levels.div(255).sub(0.5).div(0.5);
}

test("the vision tower, layer by layer", goldenOptions, () => {
  withCheckpoint(({ parameters, config, unused }) =>
    withGolden("media.safetensors", (media) =>
      withGolden("vision.safetensors", (want) => {
        const pixels = pixelsOf(media);
        const run = (numUsedLayers: number, given = pixels, change = {}, weights: WeightSource = parameters) =>
          encodeFrames(weights, { ...config.vision, numUsedLayers, ...change }, given).view([
            given.size(0),
            -1,
            config.vision.hiddenSize,
          ]);
        const firstTwo = pixels.narrow(0, 0, 2);
        close(run(0, firstTwo), want.tensor("embeddings_f2"), "embeddings");
        close(run(1, firstTwo), want.tensor("hidden1_f2"), "layer 1");
        close(run(2, firstTwo), want.tensor("hidden2_f2"), "layer 2");
        const all: WeightSource = { get: (name) => parameters.get(name) ?? unused.get(name) };
        close(run(3, firstTwo, {}, all), want.tensor("hidden3_f2"), "layer 3");
        const features = want.tensor("features");
        assert.equal(config.vision.numUsedLayers, 2);
        close(run(2), features, "features");
        shows(run(3, pixels, {}, all), features, 1, "hidden state -1");
        shows(run(2, pixels, { normEps: 1e-5 }), features, 0.01, "eps 1e-5");
        shows(run(2, pixels.transpose(2, 3)), features, 0.1, "rows for columns");
      }),
    ),
  );
});

test("the projector: blocks, stages, branches; one frame, five, and a batch", goldenOptions, () => {
  withCheckpoint(({ parameters, config }) =>
    withGolden("projector.safetensors", (want) => {
      const small = config.projector;
      const features = want.tensor("features").to({ device: testDevice }); // [T, P, D]
      const [frames, , width] = features.shape as [number, number, number];
      const rows = (x: Tensor) => x.reshape([-1, width]);
      const shape = { clips: 1, frames, side: 6 };
      const block = bottleneck(parameters, `${PROJECTOR}.s1_video.b1`, features.view([frames, 6, 6, width]));
      close(block.select(0, 1).permute([2, 0, 1]), want.tensor("b1_out_f1"), "first block");
      for (const branch of ["video", "body"] as const) {
        close(convolutionBranch(parameters, small, rows(features), shape, branch), want.tensor(branch), branch);
      }
      close(faceBranch(parameters, rows(features), shape), want.tensor("face"), "face");
      const lists = tokenLists(parameters, small, rows(features), shape);
      assert.equal(lists.size(1), videoTokens(small, frames, 6));
      close(lists.select(0, 0).narrow(1, 0, 64), want.tensor("video"), "first list");
      close(lists.select(0, 0).narrow(1, 128, 64), want.tensor("face"), "last list");
      const turned = features.view([frames, 6, 6, width]).transpose(1, 2).reshape([frames, 36, width]);
      shows(
        convolutionBranch(parameters, small, rows(turned), shape, "video"),
        want.tensor("video"),
        1,
        "rows for columns",
      );
      shows(
        convolutionBranch(parameters, small, rows(features), shape, "body"),
        want.tensor("video"),
        0.5,
        "the other branch",
      );
      withGolden("projector_shapes.safetensors", (shapes) => {
        for (const count of [1, 5]) {
          const first = rows(features.narrow(0, 0, count));
          const own = { ...shape, frames: count };
          for (const branch of ["video", "body"] as const) {
            close(
              convolutionBranch(parameters, small, first, own, branch),
              shapes.tensor(`t${count}_${branch}`),
              `${count} ${branch}`,
            );
          }
          close(faceBranch(parameters, first, own), shapes.tensor(`t${count}_face`), `${count} face`);
        }
        const both = rows(features).repeat([2, 1]).view([2, frames, 36, width]).clone();
        both.select(0, 1).copy_(features.flip([0]));
        const batched = convolutionBranch(parameters, small, rows(both), { ...shape, clips: 2 }, "video");
        close(batched.narrow(0, 72, 72), shapes.tensor("b2_video_row1"), "second of a batch");
        shows(batched.narrow(0, 0, 72), shapes.tensor("b2_video_row1"), 0.1, "frames in the other order");
        const late = { ...small, padding: [0, 0, 0] as const };
        assert.throws(() =>
          scope(() =>
            convolutionBranch(parameters, late, rows(features.narrow(0, 0, 1)), { ...shape, frames: 1 }, "video"),
          ),
        );
      });
    }),
  );
});

test("the projector of the 7B on an odd grid, and its compressor", goldenOptions, () => {
  using weights = openSafetensors(`${goldenRoot}/projector7b/weights.safetensors`);
  withGolden("projector7b/golden.safetensors", (want) => {
    const parameters: WeightSource = {
      get: (name) => (weights.entries.has(name) ? weights.tensor(name).to({ device: testDevice }) : undefined),
    };
    const large: ProjectorConfig = { depth: 4, padding: [1, 1, 1], compresses: true };
    const features = want.tensor("features").to({ device: testDevice });
    const [frames, patches, width] = features.shape as [number, number, number];
    const shape = { clips: 1, frames, side: Math.sqrt(patches) };
    const rows = features.view([-1, width]);
    for (const branch of ["video", "body"] as const) {
      close(convolutionBranch(parameters, large, rows, shape, branch), want.tensor(branch), branch);
    }
    close(faceBranch(parameters, rows, shape), want.tensor("face"), "face");
    const plain = { ...large, compresses: false };
    const shares = want.tensor("probs").to({ device: testDevice });
    close(fusedRows(tokenLists(parameters, plain, rows, shape).select(0, 0), shares), want.tensor("fused"), "fused");
    const lists = tokenLists(parameters, large, rows, shape).select(0, 0);
    assert.equal(lists.size(0), videoTokens(large, frames, shape.side));
    close(fusedRows(lists, shares), want.tensor("compressed"), "compressed, then weighed");
    const fused = want.tensor("fused").unsqueeze(0);
    close(compressed(fused, frames, 4).select(0, 0), want.tensor("compressed"), "weighed, then compressed");
    const shifted = compressed(fused.roll(16, { dims: 1 }), frames, 4).select(0, 0);
    shows(shifted, want.tensor("compressed"), 0.5, "slow frames 0 and 4");
    shows(
      fusedRows(tokenLists(parameters, plain, rows, shape).select(0, 0), shares.flip([0])),
      want.tensor("fused"),
      0.01,
      "shares in the other order",
    );
    assert.throws(() =>
      scope(() =>
        close(
          convolutionBranch(parameters, { ...large, padding: [1, 0, 0] }, rows, shape, "video"),
          want.tensor("video"),
          "",
        ),
      ),
    );
  });
});

test("the audio tower and its projector", goldenOptions, () => {
  withCheckpoint(({ parameters, config }) =>
    withGolden("media.safetensors", (media) =>
      withGolden("audio.safetensors", (want) => {
        const mel = media.tensor("mel").unsqueeze(0).to({ device: testDevice });
        close(hearSounds(parameters, config.audio, mel), want.tensor("last"), "last layer");
        const tokens = encodeSounds(parameters, config.audio, mel);
        close(tokens, want.tensor("tokens"), "tokens");
        const both = encodeSounds(parameters, config.audio, mel.repeat([2, 1, 1]));
        close(both.narrow(0, 50, 50), want.tensor("tokens"), "second of a batch");
        shows(
          encodeSounds(parameters, config.audio, mel.roll(1, { dims: 2 })),
          want.tensor("tokens"),
          0.05,
          "a mel one frame late",
        );
        shows(
          hearSounds(parameters, { ...config.audio, numLayers: 1 }, mel),
          want.tensor("last"),
          0.1,
          "a layer too few",
        );
      }),
    ),
  );
});

test("the gate: ids, class vectors and shares of thirteen texts, alone and in a batch", goldenOptions, () => {
  const { texts } = goldenJson<{ texts: Record<string, { text: string; input_ids: number[] }> }>("gate.json");
  const pieces = createWordPiece(readVocabulary(), "vocab.txt", { maxTokens: 96, lowercase: true, maxPieces: 169 });
  withCheckpoint(({ parameters, config }) =>
    withGolden("gate.safetensors", (want) => {
      for (const [name, { text, input_ids: ids }] of Object.entries(texts)) {
        const own = pieces.encode(text);
        assert.deepEqual([...own], ids, name);
        close(
          encodeQuestions(parameters, config.question, [own]).select(0, 0),
          want.tensor(`${name}.cls`),
          `${name} class`,
        );
        close(
          questionShares(parameters, config.question, [own]).select(0, 0),
          want.tensor(`${name}.probs`),
          `${name} shares`,
          SHARE_TOLERANCE,
        );
      }
      assert.equal(Object.keys(texts).length, 13);
      const batch = ["readme", "short", "eval"].map((name) => Int32Array.from(texts[name]!.input_ids));
      const shares = questionShares(parameters, config.question, batch);
      close(shares, want.tensor("batch.probs"), "batch", SHARE_TOLERANCE);
      const padded = batch.map((ids) => Int32Array.from({ length: 56 }, (_, i) => ids[i] ?? 0));
      shows(
        questionShares(parameters, config.question, padded),
        want.tensor("batch.probs"),
        0.05,
        "padding that is seen",
      );
      const loose = { ...config.question, normEps: 1e-5 };
      shows(questionShares(parameters, loose, batch), want.tensor("batch.probs"), 1e-4, "eps 1e-5");
      const cased = createWordPiece(readVocabulary(), "vocab.txt", { maxTokens: 96, lowercase: false, maxPieces: 169 });
      assert.notDeepEqual([...cased.encode(texts.readme!.text)], texts.readme!.input_ids);
    }),
  );
});

function readVocabulary(): string {
  return readFileSync(`${goldenRoot}/model/bert-tiny-uncased/vocab.txt`, "utf8");
}

/** What each golden is compared with here: two times as much of a mistake's figure cannot hide in it. */
const tolerances: readonly (readonly [golden: RegExp, tolerance: number])[] = [
  [/^gate\.safetensors/, SHARE_TOLERANCE],
  [/^(vision|projector|audio)|^projector/, TOLERANCE],
  [/^cases\/sft/, 2e-5],
  [/^cases\//, 5e-5],
  [/^grads/, 2e-4],
  [/^preprocess\/mel/, 2e-4],
  [/^preprocess\//, 0],
];

test("every mistake that the reference lists moves its golden by more than is allowed here", goldenOptions, () => {
  const { by_golden: listed } = goldenJson<{ by_golden: Record<string, Record<string, number | string>> }>(
    "controls.json",
  );
  let numMistakes = 0;
  for (const [golden, mistakes] of Object.entries(listed)) {
    const tolerance = tolerances.find(([pattern]) => pattern.test(golden))?.[1];
    assert.ok(tolerance !== undefined, golden);
    for (const [name, moved] of Object.entries(mistakes)) {
      if (typeof moved !== "number" || /allowed|correct|^rows$/.test(name)) continue;
      assert.ok(Math.abs(moved) > tolerance, `${golden}, ${name}: ${moved} within ${tolerance}`);
      numMistakes++;
    }
  }
  assert.ok(numMistakes > 50);
});
