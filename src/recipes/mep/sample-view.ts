// One clip in the browser of a run: the clip with its sound, its cues, what the model said with and without each modality and with
// another clip's, and every probe with its answer.

import { type CueBank, presentCues } from "../../bench/cue-bank.ts";
import { type AnswerStyle, readYesNo } from "../../bench/faithfulness.ts";
import type { MepResult, Reasoning, ReasoningPart } from "../../bench/mep.ts";
import { type Probe, probeQuery } from "../../bench/probes.ts";
import { decodeWithSound } from "../../corpus/clips/sample-clip.ts";
import type { Sample } from "../../data/sample.ts";
import type { Cue } from "../../evidence/cue.ts";
import type { Modality } from "../../media/clip.ts";
import { decodeClip } from "../../media/isolated/index.ts";
import { type ClipPreview, ClipPreviews, previewDecoding } from "../../page/clip-preview.ts";
import { narrationView } from "../../page/clip-view.ts";
import type { Narration } from "../../page/data.ts";
import { folded, scrolling } from "../../page/document.ts";
import { type Html, html } from "../../page/html.ts";
import { type NarratedText, narrateAll } from "../../page/narration.ts";
import { previewView } from "../../page/preview-view.ts";
import { parseResponse } from "../../text/response.ts";
import type { MepPageData } from "./page-data.ts";

interface SampleStory {
  readonly sample: Sample;
  readonly preview: ClipPreview;
  /** What the filter of the page looks for. */
  readonly flags: readonly string[];
  /** Claims of what the clip does not have, or what was masked. */
  readonly numInvented: number;
  readonly cues: readonly (Cue & { readonly isStated: boolean | null })[];
  readonly views: readonly { readonly title: string; readonly narration: Narration; readonly isDetail: boolean }[];
  readonly probes: readonly AnsweredProbe[];
}

interface AnsweredProbe {
  readonly probe: Probe;
  readonly text: string;
  readonly read: "yes" | "no" | null;
}

const titles: Readonly<Record<ReasoningPart, (reasoning: Reasoning) => string>> = {
  intact: () => "sees and hears",
  maskedVideo: () => "video masked",
  maskedAudio: () => "sound masked",
  swappedVideo: ({ view }) => `with the video of ${view.video!.id}`,
  swappedAudio: ({ view }) => `with the sound of ${view.audio!.id}`,
  conflict: () => "sees and hears",
};
const maskedIn: Partial<Record<ReasoningPart, Modality>> = { maskedVideo: "video", maskedAudio: "audio" };
const congruentParts: readonly ReasoningPart[] = [
  ...(["intact", "maskedVideo", "maskedAudio", "swappedVideo", "swappedAudio"] as const),
];

/** Of the clips of a page. */
const mediaBytes = 1_200_000;

/** Clips with the most invented claims come first, and are the first to have room for their sound. */
export async function sampleStories(data: MepPageData): Promise<SampleStory[]> {
  const { set, result } = data;
  const told = await toldBySample(set.bank, result, data.style);
  const samples = [...set.congruent, ...set.conflict];
  const stories = await Promise.all(
    samples.map(async (sample) => {
      const views = told.get(sample.id) ?? [];
      const probes = result.probes.filter((probe) => probe.sample.id === sample.id);
      return { sample, ...(await storyOf(set.bank, sample, views, probes, data.style)) };
    }),
  );
  stories.sort((left, right) => right.numInvented - left.numInvented);
  using previews = new ClipPreviews(mediaBytes);
  const shown: SampleStory[] = [];
  for (const story of stories) {
    const { video, sound } = data.files.get(story.sample.id)!;
    const clip = await (sound === null
      ? decodeClip(video, previewDecoding)
      : decodeWithSound(video, sound, previewDecoding));
    shown.push({ ...story, preview: await previews.of(clip) });
  }
  return shown;
}

interface Told extends NarratedText {
  readonly part: ReasoningPart;
  readonly title: string;
  /** Why it could not be taken apart. */
  readonly problem: string | null;
}

/** Everything that was said about each clip, in the order of the parts. */
async function toldBySample(bank: CueBank, result: MepResult, style: AnswerStyle): Promise<Map<string, Told[]>> {
  const parts: readonly ReasoningPart[] = [...congruentParts, "conflict"];
  const all = parts.flatMap((part) => result.reasonings[part].map((reasoning) => ({ part, reasoning })));
  // Claims are judged by the clip that was really shown, per modality.
  const shown = await presentCues(
    bank,
    all.map(({ reasoning: { view } }) => ({
      ...view.sample,
      cues: (["video", "audio"] as const).flatMap((modality) =>
        (view[modality]?.cues ?? []).filter(({ kind }) => kind === modality),
      ),
    })),
  );
  const narrated = await narrateAll(
    bank,
    all.map(({ part, reasoning }, i) => ({
      text: reasoning.text,
      present: shown[i]!,
      masked: maskedIn[part] ?? null,
      statements: reasoning.decomposition.statements,
    })),
  );
  const told = new Map<string, Told[]>();
  for (const [i, { part, reasoning }] of all.entries()) {
    const { narration, stated } = narrated[i]!;
    const { id } = reasoning.view.sample;
    // Free answers have no form that could be broken.
    const shownNarration = style === "free" ? { ...narration, wellFormed: true } : narration;
    const entry = {
      part,
      title: titles[part](reasoning),
      narration: shownNarration,
      stated,
      problem: reasoning.decomposition.problem,
    };
    told.set(id, [...(told.get(id) ?? []), entry]);
  }
  return told;
}

async function storyOf(
  bank: CueBank,
  sample: Sample,
  told: readonly Told[],
  asked: readonly (Probe & { readonly text: string })[],
  style: AnswerStyle,
): Promise<Omit<SampleStory, "sample" | "preview">> {
  const own = told.find(({ part }) => part === "intact" || part === "conflict");
  const indices = await presentCues(
    bank,
    sample.cues.map((cue) => ({ ...sample, cues: [cue] })),
  );
  const cues = sample.cues.map((cue, c) => {
    const index = indices[c]![0];
    const isKnown = index !== undefined && (own?.problem ?? null) === null;
    return { ...cue, isStated: isKnown ? (own?.stated.includes(index) ?? false) : null };
  });
  const probes = asked.map((probe) => ({ probe, text: probe.text, read: readYesNo(probe.text, style) }));
  const verdicts = (views: readonly Told[]) =>
    views.flatMap(({ narration }) => narration.segments.flatMap(({ claim }) => (claim ? [claim.verdict] : [])));
  const invented = told.flatMap((one) =>
    verdicts([one]).filter((verdict) => verdict === "unseen" || (verdict === "absent" && one === own)),
  );
  const flags = {
    missed: cues.some(({ isStated }) => isStated === false),
    absent: own !== undefined && verdicts([own]).includes("absent"),
    unseen: verdicts(told).includes("unseen"),
    wrong: probes.some(({ probe, read }) => read !== probe.expected),
    unreadable: probes.some(({ read }) => read === null) || told.some(({ problem }) => problem !== null),
  };
  return {
    flags: Object.entries(flags).flatMap(([flag, isSet]) => (isSet ? [flag] : [])),
    numInvented: invented.length,
    cues,
    views: told.map(({ title, narration, part, problem }) => ({
      title: problem === null ? title : `${title} (statements not read: ${problem})`,
      narration,
      isDetail: part.startsWith("swapped"),
    })),
    probes,
  };
}

export function sampleView({ sample, preview, flags, cues, views, probes }: SampleStory): Html {
  const narrations = (isDetail: boolean) =>
    views
      .filter((view) => view.isDetail === isDetail)
      .map(({ title, narration }) => html`<section>${narrationView(title, narration)}</section>`);
  const numWrong = probes.filter(({ probe, read }) => read !== probe.expected).length;
  return html`<article class="sample clip" id="${sample.id}" data-flags="${flags.join(" ")}">
  <header>${previewView(sample.id, sample.subtitle, preview)}
    <div><h3>${sample.id}</h3>${sample.subtitle !== "" && html`<p class="subtitle">\u201c${sample.subtitle}\u201d</p>`}
    <p>${cues.map(cueChip)}</p><p class="muted">annotated: ${sample.labels.join(", ")}</p></div></header>
  <div class="arms">${narrations(false)}</div>
  ${probes.length > 0 && folded(`${probes.length} probes, ${numWrong} answered wrong`, probeTable(probes))}
  ${views.some(({ isDetail }) => isDetail) && folded("With another clip's video or sound", html`<div class="arms">${narrations(true)}</div>`)}
</article>`;
}

function cueChip({ kind, text, isStated }: SampleStory["cues"][number]): Html {
  const mark = isStated === null ? "" : isStated ? "stated" : "missed";
  return html`<span class="chip ${kind} ${mark}">${text}</span> `;
}

const probeTitles: Readonly<Record<Probe["kind"], string>> = {
  masked: "masked",
  present: "control, it is there",
  absent: "control, it is not there",
  adversarial: "control, the emotion suggests it, it is not there",
};

function probeTable(probes: readonly AnsweredProbe[]): Html {
  return scrolling(
    "Probes",
    html`<table class="probes"><thead><tr><th scope="col">probe</th><th scope="col">question</th><th scope="col">right</th><th scope="col">answer</th></tr></thead>
  <tbody>${probes.map(({ probe, text, read }) => {
    const isRight = read === probe.expected;
    return html`<tr><td>${probe.modality}, ${probeTitles[probe.kind]}</td><td>${probeQuery(probe).prompt}</td><td>${probe.expected}</td>
    <td class="${isRight ? "right" : "wrong"}">${read ?? "not readable"} <span class="muted">${saidText(text)}</span></td></tr>`;
  })}</tbody></table>`,
  );
}

const longestSaid = 400;

/** The words of an answer, without its tags; what is well-formed with an arrow between thought and answer. */
function saidText(text: string): string {
  const { wellFormed, think, answer } = parseResponse(text);
  const words = wellFormed ? `${think!.text.trim()} \u2192 ${answer!.text.trim()}` : text.replace(tags, " ").trim();
  return words.length > longestSaid ? `${words.slice(0, longestSaid)} ...` : words;
}

const tags = /<\/?(?:think|thinking|thought|reasoning|answer)>/gi;
