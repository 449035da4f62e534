// CH-SIMS: Chinese films and shows, sentiment from -1 to 1.
import { merbenchReader } from "../layouts/merbench.ts";

export const chSims = merbenchReader({
  name: "ch-sims",
  title: "SIMS",
  kind: "sentiment",
  labels: [],
  range: [-1, 1],
  folder: "sims-process",
  labelFile: "label.npz",
  splits: [
    { name: "train", role: "train", corpus: "train_corpus" },
    { name: "val", role: "validation", corpus: "val_corpus" },
    { name: "test", role: "test", numPublished: 457, corpus: "test_corpus" },
  ],
  scoredSplit: "test",
  video: { folder: "video", extensions: [".mp4"] },
  audioFolder: "audio",
  subtitleFile: "transcription-engchi-polish.csv",
  subtitleColumn: "english",
  access:
    "Clips: the request form of github.com/thuiar/MMSA, cut as MERTools' toolkit/preprocess does, or the MER-UniBench pack (README " +
    "of zeroQiaoba/AffectGPT). Labels: folder MERBench/dataset/sims-process of github.com/zeroQiaoba/MERTools.",
});
