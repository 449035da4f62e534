// `oppo mep`: MEP-Bench for any corpus and any model.

import { type Command, InvalidArgumentError, Option } from "commander";
import type { MepSetOptions } from "../../corpus/mep-set.ts";
import { OppoError } from "../../error.ts";
import type { MepRun, MepSystem } from "../../recipes/mep/run.ts";
import type { CommandDefinition, CommonOptions } from "../command.ts";
import { embedderAccess } from "../embedder-access.ts";
import {
  addClientFlags,
  addEndpointFlags,
  defaultKeyVariable,
  type EndpointFlags,
  endpointOptions,
} from "../endpoint-flags.ts";
import { longRun } from "../long-run.ts";
import { count, wholeNumber } from "../number.ts";

interface BuildOptions extends CommonOptions, EndpointFlags {
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
    configureRun(command.command("run"));
    configureCompare(command.command("compare"));
  },
};

function configureBuild(command: Command): void {
  addClientFlags(common(command))
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
    .option("--embedder <choice>", "what compares cues: auto, theatre, cues, builtin:, qwen3: or endpoint:", "auto")
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
            ...(await emotionDefaults()),
            similarityThreshold,
            access: await embedderAccess(options, "", interrupt.signal),
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

interface RunOptions extends CommonOptions, EndpointFlags {
  readonly model: string;
  readonly out: string;
  readonly name?: string;
  readonly media?: string;
  readonly embedder?: string;
  readonly answerStyle: MepRun["answerStyle"];
  readonly dropMasked?: true;
  readonly maxNewTokens: number;
  readonly maxUnreadable: number;
  readonly decompose?: string;
  readonly decomposeKeyEnv: string;
  readonly decomposeTokens: number;
  readonly decomposeExtra?: Readonly<Record<string, unknown>>;
  readonly maxSkipped?: number;
  readonly clipMemory: number;
  readonly batch: number;
  readonly device?: string;
  readonly dtype?: "float32" | "bfloat16";
  readonly extra?: Readonly<Record<string, unknown>>;
}

const bytesPerMegabyte = 1024 * 1024;

const runHelp = `
Masking is done here, on the media: a server gets black frames and silence (or no part, --drop-masked), the video's own packets
without their sound, and the sound as WAV. A run that was stopped goes on with the same command; a server's replies are kept in
the run's folder unless --cache says where. The folder gets results.json, answers.jsonl and report.html, a table with intervals and
a browser of all clips.

Examples:
  oppo mep run sets/theatre --model runs/demo/arms/oppo/seed-0/model --out runs/mep/oppo
  oppo mep run sets/ov-merd --endpoint http://localhost:8000/v1 --model Qwen/Qwen2.5-Omni-7B --answer-style free --out runs/mep/qwen`;

function configureRun(command: Command): void {
  addEndpointFlags(common(command))
    .description(
      "Puts a model, ours or one behind a server, through a set: utilization, faithfulness, controls, swaps.",
    )
    .argument("<set>", "a folder that oppo mep build wrote")
    .requiredOption("--model <model>", "a model's directory; with --endpoint, the model's name there")
    .requiredOption("--out <folder>", "where the run goes")
    .option("--name <text>", "what reports call the system (default: the model's name)")
    .option("--media <folder>", "where the media are (default: where they were when the set was made)")
    .option("--embedder <choice>", "must be the one that the set was made with (default: it)")
    .addOption(
      new Option("--answer-style <style>", "with think and answer tags, or free for models that were not taught them")
        .choices(["tagged", "free"])
        .default("tagged"),
    )
    .option(
      "--decompose <url#model>",
      "a language model that takes every reasoning apart, as in the paper, or offline for rules (default: clauses)",
    )
    .option("--decompose-key-env <variable>", "the environment variable with that server's key", defaultKeyVariable)
    .option("--decompose-tokens <count>", "limit of its replies; models that think first need more", count, 1024)
    .option("--decompose-extra <json>", "further fields of its requests", jsonObject)
    .option(
      "--max-skipped <count>",
      "reasonings that cannot be taken apart to tolerate (default: 2%, at least 10)",
      wholeNumber,
    )
    .option(
      "--max-unreadable <count>",
      "unreadable answers in a row that end the run, as do more than half of the first 100; 0 asks on",
      wholeNumber,
      50,
    )
    .option("--drop-masked", "leave a masked modality out of the prompt instead of black frames or silence")
    .option("--max-new-tokens <count>", "longest answer", count, 256)
    .option("--clip-memory <megabytes>", "decoded clips that a local model keeps at once", count, 2048)
    .option("--batch <count>", "questions that a local model decodes together", count, 64)
    .option("--device <name>", "cpu or cuda, for a local model (default: cpu)")
    .addOption(
      new Option("--dtype <type>", "convert a local model's weights (default: as stored)").choices([
        "float32",
        "bfloat16",
      ]),
    )
    .option("--extra <json>", "further fields of every request, such as mm_processor_kwargs", jsonObject)
    .addHelpText("after", runHelp)
    .action((set: string, options: RunOptions) =>
      longRun(async ({ progress, interrupt }) => {
        const { runMepSet } = await import("../../recipes/mep/run.ts");
        const { resultsText } = await import("../../page/results-text.ts");
        const { mepMetricGroups } = await import("../../page/metric-rows.ts");
        const { results, out } = await runMepSet({
          set,
          system: await systemOf(options, interrupt.signal, progress.log),
          name: options.name ?? null,
          out: options.out,
          mediaRoot: options.media ?? null,
          embedder: options.embedder ?? null,
          decompose: await decomposeOf(options, interrupt.signal, progress.log),
          answerStyle: options.answerStyle,
          masked: options.dropMasked ? "dropped" : "blank",
          maxNewTokens: options.maxNewTokens,
          maxUnreadable: options.maxUnreadable,
          maxClipBytes: options.clipMemory * bytesPerMegabyte,
          setting: {
            ...(await emotionDefaults()),
            similarityThreshold,
            access: await embedderAccess(options, "", interrupt.signal),
          },
          progress,
          interrupt,
        });
        const { measures: _, groups: __, ...shown } = results;
        if (options.json) {
          console.log(JSON.stringify({ out, ...shown }, null, 2));
          return;
        }
        for (const note of results.notes) console.log(note);
        console.log(resultsText([{ title: results.system, metrics: results.report }], mepMetricGroups));
        console.log(`\nThe page: ${out}/report.html`);
      }),
    );
}

async function decomposeOf(
  options: RunOptions,
  signal: AbortSignal,
  onNotice: (line: string) => void,
): Promise<MepRun["decompose"]> {
  const { decompose, decomposeExtra: extra, maxSkipped = null } = options;
  if (decompose === undefined) return null;
  if (decompose === "offline") return { by: "offline", maxSkipped };
  const at = decompose.lastIndexOf("#");
  if (at <= 0 || at === decompose.length - 1) {
    throw new OppoError(
      "ERR_CONFIG",
      `--decompose: expected offline, or an address and a model, such as http://localhost:8000/v1#Qwen/Qwen2.5-7B-Instruct, got "${decompose}".`,
    );
  }
  const { oppoHome } = await import("../../run/lexicon-store.ts");
  const where = { url: decompose.slice(0, at), model: decompose.slice(at + 1) };
  // A key of its own: that of the model under test is not for another server.
  const flags = { ...options, cache: options.cache ?? `${options.out}/replies`, keyEnv: options.decomposeKeyEnv };
  const client = endpointOptions(flags, where, process.env, oppoHome(process.env));
  const ask = { maxTokens: options.decomposeTokens, ...(extra === undefined ? {} : { extra }) };
  return { by: { ...client, signal, onNotice }, ask, maxSkipped };
}

async function systemOf(
  options: RunOptions,
  signal: AbortSignal,
  onNotice: (line: string) => void,
): Promise<MepSystem> {
  const { endpoint: url, model, extra = null } = options;
  if (url !== undefined) {
    const { oppoHome } = await import("../../run/lexicon-store.ts");
    // Beside the run, not in the common folder: a server may have another model under the same name tomorrow.
    const flags = { ...options, cache: options.cache ?? `${options.out}/replies` };
    const client = endpointOptions(flags, { url, model }, process.env, oppoHome(process.env));
    return { kind: "endpoint", client: { ...client, signal, onNotice }, extra };
  }
  const { device, dtype, batch: batchSize } = options;
  const load = { ...(device === undefined ? {} : { device }), ...(dtype === undefined ? {} : { dtype }) };
  if (extra === null) return { kind: "local", directory: model, batchSize, load };
  throw new OppoError(
    "ERR_CONFIG",
    "--extra: expected --endpoint beside it, got a local model. Leave one of them out.",
  );
}

interface CompareOptions extends CommonOptions {
  readonly html?: string;
}

const compareHelp = `
Example:
  oppo mep compare runs/mep/oppo runs/mep/reward-only --html compare.html`;

function configureCompare(command: Command): void {
  common(command)
    .description("Compares two runs on one set: the difference of every score, tested on the same clips.")
    .argument("<first>", "the folder of a run, or its results.json")
    .argument("<second>", "another one, of the same set")
    .option("--html <file>", "write the comparison as a page")
    .addHelpText("after", compareHelp)
    .action(async (first: string, second: string, options: CompareOptions) => {
      const { compareResults, comparisonPage, comparisonText } = await import("../../recipes/mep/compare.ts");
      const { readResults } = await import("../../recipes/mep/results.ts");
      const { replaceFile } = await import("../../run/checkpoint.ts");
      const comparison = compareResults(readResults(first), readResults(second));
      if (options.html !== undefined) replaceFile(options.html, comparisonPage(comparison));
      if (options.json) {
        const { differences, notes } = comparison;
        const systems = [comparison.first, comparison.second].map(({ system, report }) => ({ system, report }));
        console.log(JSON.stringify({ systems, differences, notes }, null, 2));
      } else console.log(comparisonText(comparison));
    });
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

/** R_acc's choice for answers: the set's own wheel, or the five of a lexicon. */
async function emotionDefaults() {
  const { oppoHome } = await import("../../run/lexicon-store.ts");
  return { accuracy: "auto", emotionGroups: null, home: oppoHome(process.env) };
}

/** @throws InvalidArgumentError */
function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError("Expected a number, 0 or more.");
}

/** @throws InvalidArgumentError */
function jsonObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('Expected a JSON object, such as \'{"mm_processor_kwargs": {"fps": 2}}\'.');
}
