// Which metrics the table shows, in which order, under which words. The names are those of bench/mep.ts.

import type { Report } from "../bench/report.ts";

export interface MetricRow {
  readonly metric: string;
  readonly label: string;
  readonly hint: string;
  readonly better: "higher" | "lower" | "near-half";
  readonly digits: number;
  /** Shown in the headline plot. */
  readonly headline?: boolean;
}

export interface MetricGroup {
  readonly title: string;
  readonly rows: readonly MetricRow[];
}

function row(
  metric: string,
  label: string,
  hint: string,
  options: { better?: MetricRow["better"]; digits?: number; headline?: boolean } = {},
): MetricRow {
  const { better = "higher", digits = 2, headline = false } = options;
  return { metric, label, hint, better, digits, headline };
}

/** What MEP-Bench measures of every model. */
const benchGroups: readonly MetricGroup[] = [
  {
    title: "Utilization: are the cues named?",
    rows: [
      row("recall", "Recall", "share of annotated cues that the reasoning states", { headline: true }),
      row("precisionVideo", "Precision, seen", "share of stated visual cues that are there"),
      row("precisionAudio", "Precision, heard", "share of stated acoustic cues that are there"),
    ],
  },
  {
    title: "Faithfulness: does a claim need its modality?",
    rows: [
      row("hallucinatedVideo", "Seen in the dark", "visual cues claimed per clip while the video is black", {
        better: "lower",
        headline: true,
      }),
      row("hallucinatedAudio", "Heard in silence", "acoustic cues claimed per clip while the sound is silent", {
        better: "lower",
        headline: true,
      }),
      row("accVideo", "Acc@V", "video masked, asked for a cue that was there: explicit no", { headline: true }),
      row("accAudio", "Acc@A", "audio masked, asked for a cue that was there: explicit no", { headline: true }),
      row("yesVideo", "Control, present cue seen", "unmasked, cue present: yes"),
      row("noVideo", "Control, absent cue not seen", "unmasked, cue absent: no"),
      row("yesAudio", "Control, present cue heard", "unmasked, cue present: yes"),
      row("noAudio", "Control, absent cue not heard", "unmasked, cue absent: no"),
      row("adversarialVideo", "Control, typical absent cue not seen", "unmasked, the emotion suggests it, absent: no"),
      row(
        "balancedAdversarialVideo",
        "Balanced, typical absent, video",
        "mean of it and the present cue; 0.5 is a guess",
      ),
      row("adversarialAudio", "Control, typical absent cue not heard", "unmasked, the emotion suggests it, absent: no"),
      row(
        "balancedAdversarialAudio",
        "Balanced, typical absent, audio",
        "mean of it and the present cue; 0.5 is a guess",
      ),
      row(
        "suggestedVideo",
        "Typical absent, seen",
        "unmasked, nobody asks: claims of absent cues that the emotion suggests",
        {
          better: "lower",
        },
      ),
      row(
        "suggestedAudio",
        "Typical absent, heard",
        "unmasked, nobody asks: claims of absent cues that the emotion suggests",
        {
          better: "lower",
        },
      ),
      row("saysUnseenVideo", "Says it cannot see", "video black: no cue, no plain face, but that nothing can be seen"),
      row("saysNeutralVideo", "Says a plain face", "video black: a face without expression is claimed", {
        better: "lower",
      }),
      row("falselyUnseenVideo", "Refuses a visible clip", "unmasked, yet nothing can be seen, it says", {
        better: "lower",
      }),
      row(
        "saysUnseenAudio",
        "Says it cannot hear",
        "sound silent: no cue, no flat voice, but that nothing can be heard",
      ),
      row("saysNeutralAudio", "Says a flat voice", "sound silent: a voice without expression is claimed", {
        better: "lower",
      }),
      row("falselyUnseenAudio", "Refuses an audible clip", "unmasked, yet nothing can be heard, it says", {
        better: "lower",
      }),
      row("formatMaskedVideo", "Format, video masked", "well-formed answers under a black video"),
      row("formatMaskedAudio", "Format, sound masked", "well-formed answers under silence"),
    ],
  },
  {
    title: "Swap: do statements follow the modality?",
    rows: [
      row("followVideo", "Follows a new video", "cues of the swapped-in video that are stated"),
      row("stickVideo", "Sticks to the old video", "cues of the removed video still stated", { better: "lower" }),
      row("followAudio", "Follows a new sound", "cues of the swapped-in sound that are stated"),
      row("stickAudio", "Sticks to the old sound", "cues of the removed sound still stated", { better: "lower" }),
    ],
  },
  {
    title: "Emotion",
    rows: [
      row("emotionF1", "Emotion F1", "face and voice agree"),
      row("emotionF1Conflict", "Emotion F1, conflict", "face and voice disagree; both must be named"),
    ],
  },
];

/** What the demo measures besides: masks that no arm of it was trained with. */
const heldOutRows: readonly MetricRow[] = [
  row(
    "heldOutMaskVideo",
    "Seen in plain grey",
    "visual cues claimed per clip while the video is grey: not trained with",
    {
      better: "lower",
      headline: true,
    },
  ),
  row("heldOutMaskAudio", "Heard in noise", "acoustic cues claimed per clip of white noise: not trained with", {
    better: "lower",
    headline: true,
  }),
  row("heldOutUnseenVideo", "Says it cannot see, grey", "a grey video: that nothing can be seen"),
  row("heldOutUnseenAudio", "Says it cannot hear, noise", "noise: that nothing can be heard"),
];

/** The demo's table. */
export const metricGroups: readonly MetricGroup[] = benchGroups.map((group, i) =>
  i === 1 ? { ...group, rows: [...group.rows.slice(0, 2), ...heldOutRows, ...group.rows.slice(2)] } : group,
);

/** Rows that some report has: a set that does not ask a question, and an older result, have no row of it. */
export function measuredRows({ rows }: MetricGroup, arms: readonly { readonly metrics: Report }[]): MetricRow[] {
  return rows.filter(({ metric }) => arms.some(({ metrics }) => metrics[metric] !== undefined));
}

export const metricRows: readonly MetricRow[] = metricGroups.flatMap((group) => group.rows);

/** What `oppo mep` shows beside: the paper's form of recall, the summaries of the controls, and what could not be read. */
export const mepMetricGroups: readonly MetricGroup[] = benchGroups.map((group, i) => {
  if (i === 0) {
    const paper = row("recallCosine", "Recall, as the paper counts", "a cue counts when any statement comes above 0.6");
    return { ...group, rows: [...group.rows.slice(0, 1), paper, ...group.rows.slice(1)] };
  }
  if (i !== 1) return group;
  return {
    ...group,
    rows: [
      ...group.rows,
      row(
        "accFirstLineVideo",
        "Acc@V by the first line",
        "a no anywhere in the first line, also inside a word: the paper's table",
      ),
      row(
        "accFirstLineAudio",
        "Acc@A by the first line",
        "a no anywhere in the first line, also inside a word: the paper's table",
      ),
      row("balancedVideo", "Controls, balanced, video", "mean of the two controls; 0.5 is a guess"),
      row("balancedAudio", "Controls, balanced, audio", "mean of the two controls; 0.5 is a guess"),
      row("yesRateVideo", "Yes-rate, video", "of the controls; 0.5 is unbiased", { better: "near-half" }),
      row("yesRateAudio", "Yes-rate, audio", "of the controls; 0.5 is unbiased", { better: "near-half" }),
      row("unreadableVideo", "No readable answer, video", "neither yes nor no: counted as wrong everywhere above", {
        better: "lower",
      }),
      row("unreadableAudio", "No readable answer, audio", "neither yes nor no: counted as wrong everywhere above", {
        better: "lower",
      }),
      row("format", "Format", "well-formed answers to unmasked clips"),
    ],
  };
});
