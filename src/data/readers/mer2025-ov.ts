// MER2025-OV: the test set of MER2025 track 2, 1,200 labelled clips among 20,000 candidates. The labels were not part of the
// public release; without track2_test.csv the candidates can still be answered.
import { challengeReader } from "../layouts/mer-challenge.ts";
import { mer2025Access, mer2025Layout } from "../layouts/mer2025-release.ts";

export const mer2025Ov = challengeReader({
  name: "mer2025-ov",
  title: "MER2025OV",
  folder: "mer2025-dataset",
  splits: [
    { name: "test", role: "test", numPublished: 1200, labelFile: "track2_test.csv" },
    {
      name: "candidates",
      role: "test",
      numPublished: 20_000,
      labelFile: "track_all_candidates.csv",
      isUnlabelled: true,
    },
  ],
  scoredSplit: "test",
  subtitleFile: "subtitle_chieng.csv",
  subtitleColumn: "english",
  source: {
    access: mer2025Access,
    layout: mer2025Layout(["track2_test.csv", "track_all_candidates.csv"]),
    traps: [
      "AffectGPT-R1 trained on 1,000 of the 1,200 and left 200 out that its test sets contain (second-hand numbers).",
    ],
  },
});
