// MER2023 as MER-UniBench uses it: "test1", the 411 clips of MER-MULTI. Words: MERTools, toolkit/globals.py.
import { merbenchReader } from "../layouts/merbench.ts";

export const mer2023 = merbenchReader({
  name: "mer2023",
  title: "MER2023",
  kind: "discrete",
  labels: ["neutral", "angry", "happy", "sad", "worried", "surprise"],
  folder: "mer2023-dataset-process",
  labelFile: "label-6way.npz",
  splits: [
    { name: "train", role: "train", corpus: "train_corpus" },
    { name: "test1", role: "test", numPublished: 411, corpus: "test1_corpus" },
    { name: "test2", role: "test", corpus: "test2_corpus" },
    { name: "test3", role: "test", numPublished: 834, corpus: "test3_corpus" },
  ],
  scoredSplit: "test1",
  video: { folder: "video", extensions: [".mp4", ".avi"] },
  audioFolder: "audio",
  subtitleFile: "transcription-engchi-polish.csv",
  subtitleColumn: "english",
  access:
    "Clips: Hugging Face, MERChallenge/MER2023, after its agreement (academic use). Labels and transcripts: folder " +
    "MERBench/dataset/mer2023-dataset-process of github.com/zeroQiaoba/MERTools, free to read.",
  traps: ["The benchmark's MER2023 is test1 (MER-MULTI), not MER2023-SEMI, which is test3."],
});
