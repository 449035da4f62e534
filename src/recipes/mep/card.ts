// The data card of a MEP set: what it is made of and what it cannot tell, for whoever reads a number that rests on it.
import { percentile } from "../../bench/bootstrap.ts";
import type { MepSet, Selection } from "../../bench/mep-set.ts";
import type { ProbeKind } from "../../bench/probes.ts";
import type { Sample } from "../../data/sample.ts";
import type { Modality } from "../../media/clip.ts";
import type { MepFacts } from "./set-directory.ts";

const modalities = ["video", "audio"] as const;
const numLabelsShown = 12;

/** @param selection null where the world is known and nothing was measured */
export function dataCard(facts: MepFacts, set: MepSet, selection: Selection | null, hash: string): string {
  const { options, counts, setting, source } = facts;
  const association =
    selection === null
      ? ""
      : "* A cue is asked for because other clips link it with what this clip lets hear (or see); the link is a count, not a judgement.\n";
  return `# MEP set: ${facts.name}

Hash \`${hash}\`. Results are comparable when their sets have the same hash.

* Source: ${source.name}${source.conflict === null ? "" : `; conflict clips from ${source.conflict}`}, ${source.numSamples} samples read (SHA-256 \`${source.hash.slice(0, 16)}\`)
* Clips: ${set.congruent.length}${set.conflict.length > 0 ? `, and ${set.conflict.length} on which face and voice disagree` : ""}
* Probes: ${modalities.map((modality) => `${count(set, modality)} about the ${modality}`).join(", ")}, each with two unmasked controls
* Adversarial controls, for a cue that is suggested and not there: ${modalities.map((modality) => `${count(set, modality, "adversarial")} about the ${modality}`).join(", ")}
* Cues compared by: ${setting.embedder.name} (\`--embedder ${setting.embedder.choice}\`)
* Question of free reasoning: "${setting.question}"
* Settings: ${Object.entries(options)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ")}

The folder holds annotations and questions, no media, and the source's terms apply to it.

## How the clips were chosen

${selection === null ? worldText(counts) : selectionText(facts, selection)}

## Cues

| | video | audio |
| --- | --- | --- |
| cues per clip, mean | ${row(modalities, (modality) => mean(cuesPerClip(set, modality)).toFixed(2))} |
| clips without one | ${row(modalities, (modality) => String(cuesPerClip(set, modality).filter((own) => own === 0).length))} |
| distinct cues to compare with | ${row(modalities, (modality) => String(set.bank.cues.filter(({ kind }) => kind === modality).length))} |
| clips that are asked | ${row(modalities, (modality) => String(new Set(set.probes.filter((probe) => probe.modality === modality).map(({ sample }) => sample.id)).size))} |

Labels: ${labelText(set.congruent)}.

## What the numbers cannot tell

* Annotators leave things out. A cue that nobody wrote down may be there, so precision is a lower bound, and an absent control may
  ask for something that is there after all; controls are drawn unlike everything that the reference says, which makes that rare.
* Which cues count as the same is decided by the embedder, at a cosine of 0.6.
${association}${isLiteral(facts) ? literalNote : ""}`;
}

/** The embedder that is fitted on a corpus' own cues. */
function isLiteral({ setting }: MepFacts): boolean {
  return setting.kind === null && ["auto", "cues"].includes(setting.embedder.choice);
}

const literalNote = `* The embedder was fitted on these cues and knows no other words for them: cues in other words are other cues here, recall is low for a model
  that paraphrases, and an absent control may ask in other words for what is there. Build with an embedder that has learned a language
  (\`--embedder qwen3:DIR\`) before you publish a number.
`;

function count(set: MepSet, modality: Modality, kind: ProbeKind = "masked"): number {
  return set.probes.filter((probe) => probe.kind === kind && probe.modality === modality).length;
}

function row(values: readonly Modality[], cell: (modality: Modality) => string): string {
  return values.map(cell).join(" | ");
}

function worldText({ refused }: Readonly<Record<string, number>>): string {
  return `All clips of the theatre, whose world says which cues an emotion suggests. Left out for their media: ${refused}.`;
}

function selectionText({ options, counts }: MepFacts, { numConcepts, associations }: Selection): string {
  return `| of ${counts.candidates} candidates | clips |
| --- | --- |
| fewer than ${options.minCues} distinct cues in a modality | ${counts.fewCues} |
| more than ${options.maxCues} | ${counts.manyCues} |
| no cue in a modality that the other one suggests (lift from ${options.minAssociation}) | ${counts.weakAssociation} |
| media unreadable, or without picture or sound | ${counts.refused} |
| not drawn (seed ${options.seed}) | ${counts.notDrawn} |
| chosen | ${counts.samples} |

Cues that are no short phrase, left out before: ${counts.droppedCues}. Wordings were merged to ${numConcepts.video} visual and ${numConcepts.audio} acoustic concepts. The association of a cue is the lift between it and the other
modality's cues of the clip, directly or through the clip's emotion, over the other candidates and with ${options.priorCount} pseudo-counts.

| association of the chosen clips' cues | first quarter up to | median | last quarter from | suggested |
| --- | --- | --- | --- | --- |
${modalities.map((modality) => `| ${modality} | ${quartiles(associations[modality], options.minAssociation!)} |`).join("\n")}`;
}

function quartiles(values: readonly number[], threshold: number): string {
  if (values.length === 0) return "- | - | - | -";
  const sorted = values.toSorted((a, b) => a - b);
  const suggested = values.filter((value) => value >= threshold).length / values.length;
  const cells = [0.25, 0.5, 0.75].map((share) => percentile(sorted, share).toFixed(2));
  return [...cells, `${(100 * suggested).toFixed(0)}%`].join(" | ");
}

function cuesPerClip(set: MepSet, modality: Modality): number[] {
  return set.congruent.map(({ cues }) => cues.filter(({ kind }) => kind === modality).length);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function labelText(samples: readonly Sample[]): string {
  const counts = new Map<string, number>();
  for (const label of samples.flatMap(({ labels }) => labels)) counts.set(label, (counts.get(label) ?? 0) + 1);
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const shown = sorted.slice(0, numLabelsShown).map(([label, times]) => `${label} ${times}`);
  if (sorted.length > numLabelsShown) shown.push(`and ${sorted.length - numLabelsShown} more`);
  return shown.join(", ") || "none";
}
