// CMU-MOSI: film reviews, sentiment from -3 to 3.
import { merbenchReader } from "../layouts/merbench.ts";

export const cmuMosi = merbenchReader({
  name: "cmu-mosi",
  title: "CMUMOSI",
  kind: "sentiment",
  labels: [],
  range: [-3, 3],
  folder: "cmumosi-process",
  labelFile: "label.npz",
  splits: [
    { name: "train", role: "train", corpus: "train_corpus" },
    { name: "val", role: "validation", corpus: "val_corpus" },
    { name: "test", role: "test", numPublished: 686, corpus: "test_corpus" },
  ],
  scoredSplit: "test",
  video: { folder: "subvideo", extensions: [".mp4"] },
  audioFolder: "subaudio",
  subtitleFile: "transcription-engchi-polish.csv",
  subtitleColumn: "english",
  access:
    "Clips: CMU Multimodal SDK and its mirrors, cut as MERTools' toolkit/preprocess does, or the MER-UniBench pack (README " +
    "of zeroQiaoba/AffectGPT). Labels: folder MERBench/dataset/cmumosi-process of github.com/zeroQiaoba/MERTools.",
});
