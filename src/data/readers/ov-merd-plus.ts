// OV-MERD+: the open-vocabulary set of MER-UniBench, 532 clips. The names are those of the subtitle table; labels come from
// ovlabel.csv, and an empty label set stays in the test set but no wheel scores it.
import { challengeReader } from "../layouts/mer-challenge.ts";

export const ovMerdPlus = challengeReader({
  name: "ov-merd-plus",
  title: "OVMERDPlus",
  folder: "ovmerdplus-process",
  splits: [{ name: "test", role: "test", numPublished: 532, labelFile: "ovlabel.csv" }],
  scoredSplit: "test",
  subtitleFile: "subtitle_eng.csv",
  subtitleColumn: "sentence",
  namesInSubtitles: true,
  source: {
    access:
      "The MER-UniBench pack and `ovmerdplus-process`: links (Baidu, TeraBox) in the README of zeroQiaoba/AffectGPT, after " +
      "the agreement of MER2023 to MER2025.",
    layout: [
      "ovmerdplus-process/",
      "  video/NAME.mp4",
      "  audio/NAME.wav",
      "  subtitle_eng.csv    (name,sentence)",
      "  ovlabel.csv         (name,openset)",
    ],
  },
});
