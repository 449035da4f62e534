// CH-SIMS v2: sentiment from -1 to 1.
import { merbenchReader } from "../layouts/merbench.ts";

export const chSimsV2 = merbenchReader({
  name: "ch-sims-v2",
  title: "SIMSv2",
  kind: "sentiment",
  labels: [],
  range: [-1, 1],
  folder: "simsv2-process",
  labelFile: "label.npz",
  splits: [
    { name: "train", role: "train", corpus: "train_corpus" },
    { name: "val", role: "validation", corpus: "val_corpus" },
    { name: "test", role: "test", numPublished: 1034, corpus: "test_corpus" },
  ],
  scoredSplit: "test",
  video: { folder: "video_new", extensions: [".mp4"] },
  audioFolder: "audio",
  subtitleFile: "transcription-engchi-polish.csv",
  subtitleColumn: "english",
  access:
    "Clips: the request form of github.com/thuiar/ch-sims-v2, cut as MERTools' toolkit/preprocess does, or the MER-UniBench pack (README " +
    "of zeroQiaoba/AffectGPT). Labels: folder MERBench/dataset/simsv2-process of github.com/zeroQiaoba/MERTools.",
});
