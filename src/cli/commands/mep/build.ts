// `oppo mep build`: a benchmark of a corpus.

import type { Command } from "commander";
import type { MepSetOptions } from "../../../corpus/mep-options.ts";
import { mepBuildIdle, mepBuildSettings } from "../../../recipes/mep/build-settings.ts";
import type { SettingsOf } from "../../../run/config.ts";
import { addHelp } from "../../base/command.ts";
import { printJson } from "../../base/json.ts";
import { longRun } from "../../base/long-run.ts";
import { withSettings } from "../../base/settings-command.ts";
import { mepSetting } from "./setting.ts";

type BuildSettings = SettingsOf<typeof mepBuildSettings>;

const maxSkippedRows = 10;

const help = {
  notes: `The set is a folder: samples with their reference cues, probes, a manifest with hashes (mep.json) and a data card (CARD.md).
The same input and seed give the same bytes. docs/mep.md says how clips and questions are chosen.`,
  examples: [
    "oppo mep build --data mine.jsonl --out sets/mine",
    "oppo mep build --dataset ov-merd --root /data --cues cues.jsonl --embedder builtin:concepts.json --out sets/ov-merd",
    "oppo mep build --data runs/demo/corpus/congruent/congruent.jsonl \\\n--conflict runs/demo/corpus/conflict/conflict.jsonl --out sets/theatre",
  ],
};

export function configureBuild(command: Command): void {
  command.description(
    "Makes a benchmark of an annotated corpus: cue-rich clips, masked probes for cues that can be guessed.",
  );
  addHelp(command, help);
  withSettings(command, { schema: mepBuildSettings, idle: mepBuildIdle }, async (settings, { isJson }) => {
    const { manifest, out, refused, noticed } = await build(settings);
    if (isJson) return printJson("mep-build", { out, refused, noticed, ...manifest });
    const { samples, probesVideo, probesAudio } = manifest.counts;
    console.log(
      `${out}: ${samples} clips, ${probesVideo} probes about video and ${probesAudio} about audio, each with two controls\n` +
        `hash ${manifest.hash}; how it was made: ${out}/CARD.md`,
    );
  });
}

function build(settings: BuildSettings) {
  return longRun(async ({ progress, interrupt }) => {
    const { buildMepSet } = await import("../../../recipes/mep/build.ts");
    const { fieldMapOf } = await import("../../../corpus/settings.ts");
    const { dataset, root, split } = settings;
    return buildMepSet({
      data: settings.data,
      fields: fieldMapOf(settings.fields),
      dataset: dataset === null ? null : { name: dataset, root: root ?? ".", split },
      cues: settings.cues,
      conflict: settings.conflict,
      mediaRoot: settings.media,
      maxSkippedRows,
      out: settings.out,
      name: settings.name,
      maxCandidates: settings.candidates,
      options: chosenOptions(settings),
      setting: {
        embedder: settings.embedder,
        question: settings.question,
        ...(await mepSetting(settings.client, interrupt.signal)),
      },
      progress,
      interrupt,
    });
  });
}

/** What was chosen; the rest is left to what the corpus is. */
function chosenOptions(settings: BuildSettings): Partial<MepSetOptions> {
  const { samples, probes, probesPerClip, minCues, minAssociation, seed } = settings;
  return {
    maxSamples: samples,
    maxProbesPerModality: probes,
    seed,
    ...(probesPerClip === null ? {} : { maxProbesPerClip: probesPerClip }),
    ...(minCues === null ? {} : { minCues }),
    ...(minAssociation === null ? {} : { minAssociation }),
  };
}
