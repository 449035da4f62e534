// MELD: utterances from Friends, seven classes stored as numbers. Order: MERTools, toolkit/preprocess/meld.py.
import { merbenchReader } from "../layouts/merbench.ts";

export const meld = merbenchReader({
  name: "meld",
  title: "MELD",
  kind: "discrete",
  labels: ["anger", "joy", "sadness", "neutral", "disgust", "fear", "surprise"],
  folder: "meld-process",
  labelFile: "label.npz",
  splits: [
    { name: "train", role: "train", corpus: "train_corpus" },
    { name: "val", role: "validation", corpus: "val_corpus" },
    { name: "test", role: "test", numPublished: 2610, corpus: "test_corpus" },
  ],
  scoredSplit: "test",
  video: { folder: "subvideo", extensions: [".mp4"] },
  audioFolder: "subaudio",
  subtitleFile: "transcription-engchi-polish.csv",
  subtitleColumn: "english",
  access:
    "Clips: github.com/declare-lab/MELD (MELD.Raw), free to download; cut and name them as MERTools, " +
    "toolkit/preprocess/meld.py does. Labels and transcripts: folder MERBench/dataset/meld-process of zeroQiaoba/MERTools.",
  traps: ["test_dia279_utt15 and train_dia125_utt3 are known to be faulty clips (MERTools)."],
});
