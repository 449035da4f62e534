// MER2024 as MER-UniBench uses it: 1,169 clips, half of the labelled MER2024-SEMI set. Words: MERTools, toolkit/globals.py.
import { merbenchReader } from "../layouts/merbench.ts";

export const mer2024 = merbenchReader({
  name: "mer2024",
  title: "MER2024",
  kind: "discrete",
  labels: ["neutral", "angry", "happy", "sad", "worried", "surprise"],
  folder: "mer2024-dataset-process",
  labelFile: "label-6way.npz",
  splits: [
    { name: "train", role: "train", corpus: "train_corpus" },
    { name: "test1", role: "test", numPublished: 1169, corpus: "test1_corpus" },
  ],
  scoredSplit: "test1",
  video: { folder: "video", extensions: [".mp4", ".avi"] },
  audioFolder: "audio",
  subtitleFile: "transcription_merge.csv",
  subtitleColumn: "chinese",
  access:
    "Clips: Hugging Face, MERChallenge/MER2024, after its agreement (academic use). The test labels come with the " +
    "MER-UniBench pack only (README of zeroQiaoba/AffectGPT).",
  traps: [
    "The split is an unseeded shuffle: only the distributed archive has it.",
    'MERTools\' own preprocessing writes "neutral" for every test clip: then all labels of test1 are the same.',
  ],
});
