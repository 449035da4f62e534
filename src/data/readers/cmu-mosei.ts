// CMU-MOSEI: video monologues, sentiment from -3 to 3.
import { merbenchReader } from "../layouts/merbench.ts";

export const cmuMosei = merbenchReader({
  name: "cmu-mosei",
  title: "CMUMOSEI",
  kind: "sentiment",
  labels: [],
  range: [-3, 3],
  folder: "cmumosei-process",
  labelFile: "label.npz",
  splits: [
    { name: "train", role: "train", corpus: "train_corpus" },
    { name: "val", role: "validation", corpus: "val_corpus" },
    { name: "test", role: "test", numPublished: 4659, corpus: "test_corpus" },
  ],
  scoredSplit: "test",
  video: { folder: "subvideo_new", extensions: [".mp4"] },
  audioFolder: "subaudio",
  subtitleFile: "transcription-engchi-polish.csv",
  subtitleColumn: "english",
  access:
    "Clips: CMU Multimodal SDK and its mirrors, cut as MERTools' toolkit/preprocess does, or the MER-UniBench pack (README " +
    "of zeroQiaoba/AffectGPT). Labels: folder MERBench/dataset/cmumosei-process of github.com/zeroQiaoba/MERTools.",
});
