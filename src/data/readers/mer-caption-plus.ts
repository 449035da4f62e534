// MER-Caption+: 31,327 clips of the MER2025 release with automatic label sets and descriptions; the training set of OPPO and
// AffectGPT. Counts: MERTools, MER2026_Track2/README.md.
import { challengeReader } from "../layouts/mer-challenge.ts";
import { mer2025Access, mer2025Layout } from "../layouts/mer2025-release.ts";

export const merCaptionPlus = challengeReader({
  name: "mer-caption-plus",
  title: "MERCaptionPlus",
  folder: "mer2025-dataset",
  splits: [
    {
      name: "train",
      role: "train",
      numPublished: 31_327,
      labelFile: "track2_train_mercaptionplus.csv",
      reasonFile: "track3_train_mercaptionplus.csv",
    },
  ],
  scoredSplit: null,
  subtitleFile: "subtitle_chieng.csv",
  subtitleColumn: "english",
  source: {
    access: mer2025Access,
    layout: mer2025Layout(["track2_train_mercaptionplus.csv", "track3_train_mercaptionplus.csv"]),
    traps: [
      "548 of the 1,532 Human-OV clips occur here too (third-party count): compare before you train on one and measure on the other.",
      "About a tenth of the subtitles have no English text.",
    ],
  },
});
