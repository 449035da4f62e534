// `oppo mep build`: a corpus to a MEP set on disk.
import { basename, resolve } from "node:path";
import { type MepSet, makeMepSet, type Selection } from "../../bench/mep-set.ts";
import type { ProbeKind } from "../../bench/probes.ts";
import { type NoticedClip, noticeLines } from "../../corpus/clips/clip-notices.ts";
import { cueStage } from "../../corpus/cue-stage.ts";
import { kindOf } from "../../corpus/kinds.ts";
import type { MepSetOptions } from "../../corpus/mep-options.ts";
import { comparedAlike, labelGroups, makeKnownSet, selectOnCorpus, setOptionsFor } from "../../corpus/mep-set.ts";
import { chooseSetting, type Setting, type SettingOptions } from "../../corpus/setting.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import { ConfigError } from "../../run/config.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import type { Progress } from "../../run/progress.ts";
import { dataCard } from "./card.ts";
import { MediaCheck } from "./media-files.ts";
import { type MepFacts, type MepManifest, writeMepSet } from "./set-directory.ts";
import { drawCandidates, readSource, type Source, type SourceOptions } from "./source.ts";

export interface MepBuild
  extends Pick<SourceOptions, "data" | "dataset" | "cues" | "mediaRoot" | "maxSkippedRows" | "fields"> {
  readonly out: string;
  /** null: the folder's name. */
  readonly name: string | null;
  /** Samples on which face and voice disagree, as JSONL; null for none. */
  readonly conflict: string | null;
  /** How many samples the association is measured on, at most. */
  readonly maxCandidates: number;
  /** What differs from the defaults of the corpus. */
  readonly options: Partial<MepSetOptions>;
  readonly setting: SettingOptions;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

export interface MepBuildResult {
  readonly out: string;
  readonly manifest: MepManifest;
  /** Clips that were wanted and cannot be used, with reasons. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
  /** Clips of the set whose files gave less than they state. */
  readonly noticed: readonly NoticedClip[];
}

const maxNamedRefusals = 3;
/** Embedders that are made of the corpus' own cues. */
const fittedChoices: ReadonlySet<string> = new Set(["auto", "cues"]);

/** @throws OppoError ERR_MEP_SOURCE, ERR_MEP_EMPTY, ERR_MEP_EXISTS and those of the corpus */
export async function buildMepSet(build: MepBuild): Promise<MepBuildResult> {
  const { progress } = build;
  const source = await readSource({ ...build, log: progress.log });
  const conflict = await readConflict(build);
  requireDistinct(source, conflict);
  if (source.numDroppedCues > 0) progress.log(`cues that are no short phrase, left out: ${source.numDroppedCues}`);
  const kind = kindOf(source.samples);
  if (kind !== null) rejectChoosing(kind.name, build.options);
  const options = { ...setOptionsFor(kind), ...build.options };
  const { signal } = build.interrupt;
  const media = {
    congruent: new MediaCheck(source.mediaRoot, signal),
    conflict: new MediaCheck(conflict?.mediaRoot ?? ".", signal),
  };
  const candidates = kind !== null ? source.samples : drawCandidates(source.samples, build.maxCandidates, options.seed);
  const settingOptions = { ...comparedAlike(build.setting), onCues: cueStage(progress, build.interrupt) };
  using measuring = kind !== null ? null : await chooseSetting(candidates, settingOptions);
  const chosen = await choose(candidates, measuring, options, media.congruent, build);
  const disagreeing = await acceptAll(conflict?.samples ?? [], Number.POSITIVE_INFINITY, media.conflict, build);

  if (chosen.samples.length + disagreeing.length === 0) {
    logNotes(measuring, progress);
    throw nothingToAsk(build.out, chosen);
  }
  // One that is fitted on cues is fitted on those of the set, so that whoever has the set has the embedder.
  const isFitted = measuring === null || fittedChoices.has(build.setting.embedder);
  using asking = isFitted ? await chooseSetting([...chosen.samples, ...disagreeing], settingOptions) : null;
  const setting = asking ?? measuring!;
  logNotes(setting, progress);
  const set = await questions(setting, chosen, disagreeing, options);
  if (set.probes.length === 0) throw nothingToAsk(build.out, chosen);
  const facts = factsOf(build, source, setting, options, chosen, set, media);
  const noticed = [...media.congruent.noticed, ...media.conflict.noticed];
  const manifest = writeMepSet(build.out, {
    set,
    facts,
    mediaHashes: new Map([...media.congruent.hashes, ...media.conflict.hashes]),
    noticed,
    card: (hash) => dataCard(facts, set, chosen.selection, hash),
    mediaRoots: { congruent: source.mediaRoot, conflict: conflict?.mediaRoot ?? source.mediaRoot },
  });
  return { out: build.out, manifest, refused: [...media.congruent.refused, ...media.conflict.refused], noticed };
}

/** What chooses among clips has no effect on a kind whose clips are all taken. @throws ConfigError */
function rejectChoosing(kind: string, options: MepBuild["options"]): void {
  for (const [name, flag] of [["minCues", "--min-cues"] as const, ["minAssociation", "--min-association"] as const]) {
    if (options[name] === undefined) continue;
    throw new ConfigError(name, `${flag} has no effect: the clips of the ${kind} are all taken. Leave it out.`);
  }
}

interface Chosen {
  readonly samples: readonly Sample[];
  /** null: all clips of a kind that knows them. */
  readonly selection: Selection | null;
  readonly counts: Selection["counts"];
}

/** @param setting null for a kind that knows its clips: all are taken */
async function choose(
  candidates: readonly Sample[],
  setting: Setting | null,
  options: MepSetOptions,
  media: MediaCheck,
  build: MepBuild,
): Promise<Chosen> {
  if (setting === null) {
    const samples = await acceptAll(candidates, options.maxSamples, media, build);
    const refused = media.refused.length;
    const notDrawn = candidates.length - samples.length - refused;
    return {
      samples,
      selection: null,
      counts: { candidates: candidates.length, fewCues: 0, manyCues: 0, weakAssociation: 0, notDrawn, refused },
    };
  }
  const stage = build.progress.stage("clips", Math.min(options.maxSamples, candidates.length));
  const selection = await selectOnCorpus(candidates, setting, options, async (sample) => {
    await build.interrupt.safePoint();
    const isAccepted = await media.accept(sample);
    if (isAccepted) stage.advance();
    return isAccepted;
  });
  stage.finish();
  logRefusals(media, build.progress);
  return { samples: selection.samples, selection, counts: selection.counts };
}

async function acceptAll(
  samples: readonly Sample[],
  limit: number,
  media: MediaCheck,
  { progress, interrupt }: Pick<MepBuild, "progress" | "interrupt">,
): Promise<Sample[]> {
  if (samples.length === 0) return [];
  const stage = progress.stage("clips", Math.min(limit, samples.length));
  const accepted: Sample[] = [];
  for (const sample of samples) {
    if (accepted.length === limit) break;
    await interrupt.safePoint();
    if (await media.accept(sample)) accepted.push(sample);
    stage.update(accepted.length);
  }
  stage.finish();
  logRefusals(media, progress);
  return accepted;
}

function logRefusals({ refused, noticed }: MediaCheck, progress: Progress): void {
  for (const [i, line] of noticeLines(noticed).entries()) progress.log(i === 0 ? `clips that ${line}` : line);
  if (refused.length === 0) return;
  progress.log(`clips left out for their media: ${refused.length}`);
  for (const { id, reason } of refused.slice(0, maxNamedRefusals)) progress.log(`  ${id}: ${reason}`);
}

async function readConflict(build: MepBuild): Promise<Source | null> {
  if (build.conflict === null) return null;
  return readSource({ ...build, data: build.conflict, dataset: null, log: build.progress.log });
}

function requireDistinct(source: Source, conflict: Source | null): void {
  const ids = new Set(source.samples.map(({ id }) => id));
  const shared = conflict?.samples.find(({ id }) => ids.has(id));
  if (shared === undefined) return;
  throw new OppoError(
    "ERR_MEP_SOURCE",
    `${conflict!.name}: expected other samples than ${source.name} has, got "${shared.id}" in both. Rename or remove it.`,
  );
}

function questions(
  setting: Setting,
  chosen: Chosen,
  conflict: readonly Sample[],
  options: MepSetOptions,
): Promise<MepSet> {
  const clips = { congruent: chosen.samples, conflict };
  if (setting.kind !== null) return makeKnownSet(setting.kind, setting.embedder, clips, options);
  const { isTypical, fitsEmotion } = chosen.selection ?? {};
  return makeMepSet(
    clips,
    {
      embedder: setting.embedder,
      bank: null,
      groupsOf: labelGroups(),
      ...(isTypical === undefined ? {} : { isTypical }),
      ...(fitsEmotion === undefined ? {} : { fitsEmotion }),
    },
    options,
  );
}

/** Answers are scored when the set is run. */
function logNotes(setting: Setting | null, progress: Progress): void {
  for (const note of setting?.notes ?? []) if (!note.startsWith("accuracy:")) progress.log(note);
}

function nothingToAsk(out: string, { counts }: Chosen): OppoError {
  return new OppoError(
    "ERR_MEP_EMPTY",
    `${out}: expected clips to ask about, got none: of ${counts.candidates} candidates ${counts.fewCues} have too few cues, ${counts.manyCues} hundreds of them, ${counts.weakAssociation} no cue that the other modality suggests, ${counts.refused} no usable media. Lower --min-cues or --min-association, or give more samples.`,
  );
}

function factsOf(
  build: MepBuild,
  source: Source,
  setting: Setting,
  options: MepSetOptions,
  chosen: Chosen,
  set: MepSet,
  media: Readonly<Record<"congruent" | "conflict", MediaCheck>>,
): MepFacts {
  const numProbes = (modality: string, kind: ProbeKind = "masked") =>
    set.probes.filter((probe) => probe.kind === kind && probe.modality === modality).length;
  return {
    name: build.name ?? basename(resolve(build.out)),
    source: {
      name: source.name,
      conflict: build.conflict === null ? null : basename(build.conflict),
      numSamples: source.samples.length,
      hash: source.hash,
    },
    setting: {
      kind: setting.kind?.name ?? null,
      question: setting.question,
      embedder: { choice: build.setting.embedder, name: setting.embedder.name },
    },
    options: { ...options },
    counts: {
      ...chosen.counts,
      samples: set.congruent.length,
      conflict: set.conflict.length,
      droppedCues: source.numDroppedCues,
      conflictRefused: media.conflict.refused.length,
      probesVideo: numProbes("video"),
      probesAudio: numProbes("audio"),
      adversarialVideo: numProbes("video", "adversarial"),
      adversarialAudio: numProbes("audio", "adversarial"),
    },
  };
}
