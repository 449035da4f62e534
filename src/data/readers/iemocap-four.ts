// IEMOCAP with four classes (happy with excited, sad, neutral, anger); the test set is session 5, the fifth character of the
// name, as in AffectGPT's iemocapfour dataset class.
import { merbenchReader } from "../layouts/merbench.ts";

const isSessionFive = (name: string): boolean => name[4] === "5";

export const iemocapFour = merbenchReader({
  name: "iemocap-four",
  title: "IEMOCAPFour",
  kind: "discrete",
  labels: ["happy", "sad", "neutral", "anger"],
  folder: "iemocap-process",
  labelFile: "label_4way.npz",
  splits: [
    { name: "train", role: "train", corpus: "whole_corpus", takes: (name) => !isSessionFive(name) },
    { name: "test", role: "test", numPublished: 1241, corpus: "whole_corpus", takes: isSessionFive },
  ],
  scoredSplit: "test",
  video: { folder: "subvideo-tgt", extensions: [".avi"] },
  audioFolder: "subaudio",
  subtitleFile: "transcription-engchi-polish.csv",
  subtitleColumn: "english",
  access:
    "Clips: the request form of sail.usc.edu/iemocap; cut them as MERTools' toolkit/preprocess does. Labels and transcripts: " +
    "folder MERBench/dataset/iemocap-process of github.com/zeroQiaoba/MERTools.",
  traps: ["The video is the speaker's half of the picture and has no sound: that is in subaudio/."],
});
