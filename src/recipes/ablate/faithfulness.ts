// The sceptic's experiment: does a method stop claims that nothing in the clip supports, also under masks that it was never trained
// on, and does it still say what can be seen and heard? From a cold start that never learnt to refuse, beside the arm that was
// told the truth.
import { conditionGrid, conditionName, type MaskCondition } from "../../bench/support/conditions.ts";
import type { Modality } from "../../media/clip.ts";
import { isReplacement, maskKinds, swapKind, unitsKind } from "../../media/degrade/degrade.ts";
import type { DeepReadonly } from "../../run/config.ts";
import type { TrainConfig } from "../../train/config.ts";
import { type PresetName, presets } from "../../train/presets.ts";
import { type RowSettings, rowConfig } from "./cells.ts";
import type { Goal, Grid, GridColumn, GridRow } from "./grid.ts";
import type { AblateConfig } from "./settings.ts";
import { tableCurves } from "./tables.ts";

/** The arms by preset; those that this version does not have are named in a note. */
const arms: readonly { readonly name: string; readonly preset: string; readonly isHonest?: true }[] = [
  { name: "reward-only", preset: "reward-only" },
  { name: "informed", preset: "informed" },
  { name: "anchor-only", preset: "anchor-only" },
  { name: "random-evidence", preset: "random-evidence" },
  { name: "oppo", preset: "oppo" },
  { name: "oppo-family", preset: "oppo-family" },
  { name: "honest-labels", preset: "reward-only", isHonest: true },
];

const doses = [0, 0.5, 1] as const;
const modalities = ["video", "audio"] as const satisfies readonly Modality[];

/** Of a clip with its video (audio) as it is. */
const intactName = (modality: Modality) => conditionName({ modality, kind: maskKinds[modality][0]!, dose: 0 });

const columns: readonly GridColumn[] = [
  ...modalities.map((modality) => share(`${intactName(modality)}/recallReadable`, `Recall, ${modality}`)),
  ...modalities.map((modality) =>
    claims(
      `${conditionName({ modality, kind: maskKinds[modality][0]!, dose: 1 })}/unsupported`,
      `Unsupported, ${modality} gone`,
    ),
  ),
  share("adversarialVideo", "Adversarial, video"),
  share("adversarialAudio", "Adversarial, audio"),
  { ...share("suggestedVideo", "Suggested, seen"), better: "lower" },
  { ...share("suggestedAudio", "Suggested, heard"), better: "lower" },
];

function share(score: string, title: string): GridColumn {
  return { score, title, printedTitle: title, better: "higher", isShare: true };
}

function claims(score: string, title: string): GridColumn {
  return { score, title, printedTitle: title, better: "lower", isShare: false };
}

export function faithfulnessGrid(config: AblateConfig): Grid {
  const isForeign = config.data !== null;
  // Nobody knows what the models of a corpus of one's own were told of blanks.
  const known = arms.filter(({ preset, isHonest }) => preset in presets && !(isForeign && isHonest === true));
  const missing = arms.filter(({ preset }) => !(preset in presets)).map(({ preset }) => preset);
  const plainRows: GridRow[] = [
    plainRow("sft", isForeign ? "Cold start" : "Cold start, described", null, "described"),
    ...known.map(({ name, preset, isHonest }) =>
      isHonest === true
        ? plainRow(name, "Honest labels, + R_omni", preset as PresetName, "honest")
        : plainRow(name, presets[preset as PresetName].title, preset as PresetName, "described"),
    ),
  ];
  const rows = isForeign ? plainRows : plainRows.map(atTheatresRate);
  const conditions = modalities.flatMap((modality) => conditionGrid(modality, maskKinds[modality], doses));
  return {
    ...{ name: "faithfulness", title: "What is claimed of what cannot be perceived", rows, columns },
    ...{ statements: [], choice: null, curves: tableCurves, numStarts: 3, numSeeds: 3 },
    evaluation: { suite: true, conditions, ...(isForeign ? {} : { clipsPerCondition: config.play.conditionClips }) },
    goals: rows.filter(({ preset }) => preset !== null).flatMap((row) => goalsOf(row, config, conditions)),
    notes: [
      "A claim is unsupported when its cue is not in what is shown, or cannot be read there by an observer of the same towers; swap and voice show another clip's picture or sound, of which its own cues are the supported ones.",
      `Held out for a row are the kinds that neither its training nor its cold start shows: ${rows
        .filter(({ preset }) => preset !== null)
        .map(
          (row) =>
            `${row.title}: ${modalities.map((modality) => `${modality} ${heldOutKinds(row, config)[modality].join(", ")}`).join("; ")}`,
        )
        .join(". ")}.`,
      isForeign ? foreignNote : theatreNote,
      ...(missing.length === 0 ? [] : [`Arms that this version has no preset for: ${missing.join(", ")}.`]),
    ],
  };
}

/**
 * Of the theatre's rows, twice the usual one: on the dev split it serves reward-only no worse (recall of what can be read .89 and .94
 * against .86 and .95), and 50 steps are few for a row that learns two things.
 */
const learningRate = 6e-4;
const theatreNote = `All rows learn at ${learningRate}, twice the usual rate, chosen on the dev split.`;

const foreignNote =
  "The observer was learnt from the cues of the corpus that was trained on: cues that it does not know are neither claims nor missed, and what annotators left out counts as not there. What the models that rows begin from were shown before is not known, so a kind that they saw passes for held out.";

function plainRow(name: string, title: string, preset: PresetName | null, start: GridRow["start"]): GridRow {
  return { name, title, preset, overrides: [], start, swept: null, printed: {} };
}

function atTheatresRate(row: GridRow): GridRow {
  return row.preset === null ? row : { ...row, overrides: [`learningRate=${learningRate}`] };
}

/** At full dose these are what units are at theirs: who has seen one has seen the other. */
const unitsAtFullDose: Readonly<Record<Modality, readonly string[]>> = {
  video: [unitsKind, "black"],
  audio: [unitsKind, "quiet"],
};

/** All kinds but those that training masks with and those of blanks in the cold start. */
export function heldOutKinds(row: GridRow, config: RowSettings): Record<Modality, string[]> {
  const trained = trainedKinds(rowConfig(row, config, 0));
  const blanks = config.data == null ? config.play.sft.blanks : { video: [], audio: [] };
  const of = (modality: Modality) => {
    const seen = [...trained[modality], ...blanks[modality]];
    const alike = unitsAtFullDose[modality];
    const isSeen = (kind: string) =>
      seen.includes(kind) || (alike.includes(kind) && seen.some((one) => alike.includes(one)));
    return maskKinds[modality].filter((kind) => !isSeen(kind));
  };
  return { video: of("video"), audio: of("audio") };
}

function trainedKinds({ perception }: DeepReadonly<TrainConfig>): Record<Modality, readonly string[]> {
  // Without views a family is shown all the same where completions are about degraded clips, or blanks are held alike.
  const isShown = perception.views !== "none" || perception.rolloutShare > 0 || perception.alikeWeight > 0;
  if (!isShown) return { video: [], audio: [] };
  // The family's swap shows another clip's modality, whichever word a modality's kinds have for it.
  const of = (modality: Modality) =>
    perception.maskFamily[modality].flatMap((kind) =>
      kind === swapKind ? maskKinds[modality].filter(isReplacement) : [kind],
    );
  return { video: of("video"), audio: of("audio") };
}

const mostUnsupported = 0.5;
const recallMargin = 0.05;
const adversarialGain = 0.1;

function goalsOf(row: GridRow, config: AblateConfig, conditions: readonly MaskCondition[]): Goal[] {
  const heldOut = heldOutKinds(row, config);
  const whole = conditions.filter(({ modality, kind, dose }) => dose === 1 && heldOut[modality].includes(kind));
  const goal = (score: string, side: Goal["side"], bound: Goal["bound"], margin: number, title: string): Goal => {
    return { row: row.name, score, side, bound, margin, title };
  };
  return [
    ...whole.map((condition) => {
      const name = conditionName(condition);
      return goal(`${name}/unsupported`, "most", mostUnsupported, 0, `unsupported claims under ${name}`);
    }),
    ...(row.name === "reward-only"
      ? []
      : modalities.map((modality) => {
          const score = `${intactName(modality)}/recallReadable`;
          return goal(score, "least", "reward-only", -recallMargin, `recall of visible cues, ${modality}`);
        })),
    ...(["Video", "Audio"] as const).map((modality) =>
      goal(
        `adversarial${modality}`,
        "least",
        "sft",
        adversarialGain,
        `adversarial absent probes, ${modality.toLowerCase()}`,
      ),
    ),
  ];
}
