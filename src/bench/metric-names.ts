// How tables and plots show the metrics of MEP-Bench: name, which direction is good, and how to print it.

export interface MetricStyle {
  readonly label: string;
  /** "target" metrics are good near a fixed number (a yes-rate of 0.5). */
  readonly better: "higher" | "lower" | "target";
  readonly unit: "share" | "cues per clip";
}

const share = (label: string, better: MetricStyle["better"] = "higher"): MetricStyle => ({
  label,
  better,
  unit: "share",
});

export const mepMetrics = {
  recall: share("Cue recall"),
  recallVideo: share("Cue recall, video"),
  recallAudio: share("Cue recall, audio"),
  precisionVideo: share("Cue precision, video"),
  precisionAudio: share("Cue precision, audio"),
  recallCosine: share("Cue recall, any statement above 0.6"),
  emotionF1: share("Emotion F1, congruent clips"),
  format: share("Valid format"),
  emotionF1Conflict: share("Emotion F1, conflict clips"),
  precisionVideoConflict: share("Cue precision, video, conflict clips"),
  precisionAudioConflict: share("Cue precision, audio, conflict clips"),
  accVideo: share("Acc@V"),
  yesVideo: share("Control: present video cue, yes"),
  noVideo: share("Control: absent video cue, no"),
  balancedVideo: share("Control: balanced accuracy, video"),
  f1Video: share("Control: F1, video"),
  yesRateVideo: share("Control: yes-rate, video", "target"),
  unreadableVideo: share("Probes without a readable answer, video", "lower"),
  accAudio: share("Acc@A"),
  yesAudio: share("Control: present audio cue, yes"),
  noAudio: share("Control: absent audio cue, no"),
  balancedAudio: share("Control: balanced accuracy, audio"),
  f1Audio: share("Control: F1, audio"),
  yesRateAudio: share("Control: yes-rate, audio", "target"),
  unreadableAudio: share("Probes without a readable answer, audio", "lower"),
  hallucinatedVideo: { label: "Invented video cues, video masked", better: "lower", unit: "cues per clip" },
  withheldVideo: share("Hidden video cues not claimed"),
  formatMaskedVideo: share("Valid format, video masked"),
  hallucinatedAudio: { label: "Invented audio cues, audio masked", better: "lower", unit: "cues per clip" },
  withheldAudio: share("Hidden audio cues not claimed"),
  formatMaskedAudio: share("Valid format, audio masked"),
  followVideo: share("Swap: video claims that follow"),
  stickVideo: share("Swap: video claims that stick", "lower"),
  followAudio: share("Swap: audio claims that follow"),
  stickAudio: share("Swap: audio claims that stick", "lower"),
} satisfies Record<string, MetricStyle>;
