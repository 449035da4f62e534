// Human-OV: the 1,532 clips of the MER2026 release that people labelled. Count: MERTools, MER2026_Track2/README.md.
import { challengeReader } from "../layouts/mer-challenge.ts";

export const humanOv = challengeReader({
  name: "human-ov",
  title: "HumanOV",
  folder: "mer2026-dataset",
  splits: [{ name: "train", role: "train", numPublished: 1532, labelFile: "track2_train_human.csv" }],
  scoredSplit: "train",
  subtitleFile: "subtitle_chieng.csv",
  subtitleColumn: "english",
  source: {
    access:
      "Hugging Face, MERChallenge/MER2026: sign its agreement (academic use, no re-upload), download, and unpack the parts " +
      "of video and audio of track 2 with its own script.",
    layout: [
      "mer2026-dataset/",
      "  video/NAME.mp4    (or video_7z/GROUP/NAME.mp4)",
      "  audio/NAME.wav    (or audio_7z/GROUP/NAME.wav)",
      "  subtitle_chieng.csv       (name,chinese,english)",
      "  track2_train_human.csv    (name,openset)",
    ],
    traps: ["548 of the clips occur in MER-Caption+ too (third-party count): remove them before you measure on these."],
  },
});
