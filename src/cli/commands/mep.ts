// `oppo mep`: MEP-Bench for any corpus and any model.

import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { MepSetOptions } from "../../recipes/mep/make-set.ts";
import type { CommandDefinition, CommonOptions } from "../command.ts";
import { longRun } from "../long-run.ts";
import { count, wholeNumber } from "../number.ts";

interface BuildOptions extends CommonOptions {
  readonly data?: string;
  readonly dataset?: string;
  readonly root?: string;
  readonly split?: string;
  readonly cues?: string;
  readonly conflict?: string;
  readonly media?: string;
  readonly out: string;
  readonly name?: string;
  readonly samples?: number;
  readonly probes?: number;
  readonly probesPerClip?: number;
  readonly minCues?: number;
  readonly minAssociation?: number;
  readonly candidates: number;
  readonly seed?: number;
  readonly embedder: string;
  readonly question?: string;
}

const maxSkippedRows = 10;
const similarityThreshold = 0.5;
/** Wordings are compared in pairs; more candidates take minutes. */
const defaultCandidates = 2000;

const buildHelp = `
The set is a folder: samples with their reference cues, probes, a manifest with hashes (mep.json) and a data card (CARD.md).
The same input and seed give the same bytes. docs/mep.md says how clips and questions are chosen.

Examples:
  oppo mep build --dataset ov-merd --root /data --cues cues.jsonl --embedder builtin:concepts.json --out sets/ov-merd
  oppo mep build --data mine.jsonl --out sets/mine
  oppo mep build --data runs/demo/corpus/congruent/congruent.jsonl \\
    --conflict runs/demo/corpus/conflict/conflict.jsonl --out sets/theatre`;

export const mepCommand: CommandDefinition = {
  name: "mep",
  summary: "MEP-Bench: does a model name what is there, and does what it says depend on what it sees and hears",
  configure(command) {
    command.helpCommand(false);
    configureBuild(command.command("build"));
  },
};

function configureBuild(command: Command): void {
  common(command)
    .description(
      "Makes a benchmark of an annotated corpus: cue-rich clips, masked probes for cues that can be guessed.",
    )
    .option("--data <file>", "samples with cues, one JSON object per line")
    .option("--dataset <name>", "a published set in its official layout instead (oppo data list)")
    .option("--root <folder>", "where the data sets are", ".")
    .option("--split <name>", "of the data set (default: the scored one, or the first)")
    .option("--cues <file>", "cues per sample, as oppo evidence extract writes them")
    .option("--conflict <file>", "samples on which face and voice disagree, for the conflict scores")
    .option("--media <folder>", "what the samples' media paths are relative to (default: the file's folder, or --root)")
    .requiredOption("--out <folder>", "where the set goes")
    .option("--name <text>", "of the set (default: the folder's)")
    .option("--samples <count>", "clips to take, at most (default: 300, as the paper)", count)
    .option("--probes <count>", "masked probes per modality, at most (default: 500, as the paper)", count)
    .option("--probes-per-clip <count>", "of one modality, at most (default: 3; theatre: 1)", count)
    .option("--min-cues <count>", "distinct cues that a clip must have in either modality (default: 2)", wholeNumber)
    .option("--min-association <lift>", "from which the other modality suggests a cue (default: 1.5)", positiveNumber)
    .option(
      "--candidates <count>",
      "samples that associations are measured on, drawn from the seed",
      count,
      defaultCandidates,
    )
    .option("--seed <number>", "of every draw (default: 5)", wholeNumber)
    .option("--embedder <choice>", "what compares cues, as of oppo train", "auto")
    .option("--question <text>", "what asks for a reasoning (default: the corpus' own)")
    .addHelpText("after", buildHelp)
    .action((options: BuildOptions) =>
      longRun(async ({ progress, interrupt }) => {
        const { buildMepSet } = await import("../../recipes/mep/build.ts");
        const { dataset, root, split } = options;
        const result = await buildMepSet({
          data: options.data ?? null,
          dataset: dataset === undefined ? null : { name: dataset, root: root ?? ".", split: split ?? null },
          cues: options.cues ?? null,
          conflict: options.conflict ?? null,
          mediaRoot: options.media ?? null,
          maxSkippedRows,
          out: options.out,
          name: options.name ?? null,
          maxCandidates: options.candidates,
          options: chosenOptions(options),
          setting: {
            embedder: options.embedder,
            question: options.question ?? null,
            emotionGroups: null,
            similarityThreshold,
          },
          progress,
          interrupt,
        });
        const { manifest, out, refused } = result;
        if (options.json) {
          console.log(JSON.stringify({ out, refused, ...manifest }, null, 2));
          return;
        }
        const { samples, probesVideo, probesAudio } = manifest.counts;
        console.log(
          `${out}: ${samples} clips, ${probesVideo} probes about video and ${probesAudio} about audio, each with two controls\n` +
            `hash ${manifest.hash}; how it was made: ${out}/CARD.md`,
        );
      }),
    );
}

function common(command: Command): Command {
  return command
    .option("--json", "print the result and errors as JSON")
    .option("--verbose", "print errors with their stack");
}

function chosenOptions(options: BuildOptions): Partial<MepSetOptions> {
  const { samples, probes, probesPerClip, minCues, minAssociation, seed } = options;
  return {
    ...(samples === undefined ? {} : { maxSamples: samples }),
    ...(probes === undefined ? {} : { maxProbesPerModality: probes }),
    ...(probesPerClip === undefined ? {} : { maxProbesPerClip: probesPerClip }),
    ...(minCues === undefined ? {} : { minCues }),
    ...(minAssociation === undefined ? {} : { minAssociation }),
    ...(seed === undefined ? {} : { seed }),
  };
}

/** @throws InvalidArgumentError */
function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError("Expected a number, 0 or more.");
}
