// The paper's Table 1 as it is printed (OPPO, arXiv 2606.25325), to stand beside a run. Percent.

export interface PrintedRow {
  readonly name: string;
  readonly recall: string;
  readonly accVideo: string;
  readonly accAudio: string;
}

export const table1: readonly PrintedRow[] = [
  { name: "AffectGPT", recall: "49.14", accVideo: "35.00", accAudio: "26.00" },
  { name: "Qwen2.5-Omni", recall: "53.00", accVideo: "57.00", accAudio: "33.80" },
  { name: "AffectGPT-R1", recall: "54.85", accVideo: "54.20", accAudio: "30.00" },
  { name: "HumanOmni-V2", recall: "80.17 (oracle)", accVideo: "48.40", accAudio: "37.60" },
  { name: "Baseline (GRPO)", recall: "58.00", accVideo: "59.20", accAudio: "33.00" },
  { name: "OPPO", recall: "70.44", accVideo: "76.40", accAudio: "50.60" },
];

/** What must be said beside it. */
export const table1Note =
  "As printed: 300 clips of OV-MERD and 500 probes a modality of the authors' own choice, cues taken from the reasoning by a language " +
  "model, compared by Qwen3-Embedding; no controls. Numbers of another set or embedder stand beside these, they do not rank with them.";
