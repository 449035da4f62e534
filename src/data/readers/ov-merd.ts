// OV-MERD: 332 clips with label sets that people checked (ICML 2025); in the MER2025 release a training set.
import { challengeReader } from "../layouts/mer-challenge.ts";
import { mer2025Access, mer2025Layout } from "../layouts/mer2025-release.ts";

export const ovMerd = challengeReader({
  name: "ov-merd",
  title: "OVMERD",
  folder: "mer2025-dataset",
  splits: [
    {
      name: "train",
      role: "train",
      numPublished: 332,
      labelFile: "track2_train_ovmerd.csv",
      reasonFile: "track3_train_ovmerd.csv",
    },
  ],
  scoredSplit: "train",
  subtitleFile: "subtitle_chieng.csv",
  subtitleColumn: "english",
  source: {
    access: mer2025Access,
    layout: mer2025Layout(["track2_train_ovmerd.csv", "track3_train_ovmerd.csv"]),
    traps: ["OV-MERD is the same 332 clips as EMER v2, under its later name: do not count it twice."],
  },
});
