// `oppo embed`: sentence vectors of any embedder, and where its similarity threshold should lie.

import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import type { EmbedderAccess } from "../../corpus/open-embedder.ts";
import type { CommandDefinition, CommonOptions } from "../command.ts";
import { embedderAccess } from "../embedder-access.ts";
import { addClientFlags, type EndpointFlags } from "../endpoint-flags.ts";
import { type LongRun, longRun } from "../long-run.ts";
import { count, wholeNumber } from "../number.ts";

interface EmbedderFlags extends CommonOptions, EndpointFlags {
  /** Checked in the action: a required option of a command is required of its subcommands as well. */
  readonly embedder?: string;
  readonly dimension?: number;
  readonly maxTextTokens?: number;
  readonly device?: string;
  readonly dtype?: "float32" | "bfloat16";
}

interface EmbedOptions extends EmbedderFlags {
  readonly file?: string;
  readonly instruction?: string;
  readonly out?: string;
  readonly compare?: true;
}

const afterHelp = `
Texts come from the arguments, from --file (one per line, or a JSON array in a .json file) or, with --file -, from
standard input. --instruction makes them queries, as Qwen3-Embedding wants them; else they are documents. docs/embedders.md
has more.

Examples:
  oppo embed "a bright smile" "she grins" "a loud voice" --embedder theatre --compare
  oppo embed --file cues.txt --embedder qwen3:models/Qwen3-Embedding-0.6B --out cues.npy
  oppo embed "joy" --embedder endpoint:http://localhost:8000/v1#Qwen/Qwen3-Embedding-0.6B --json
  oppo embed calibrate --embedder qwen3:models/Qwen3-Embedding-0.6B --out delta.json --page delta.html`;

export const embedCommand: CommandDefinition = {
  name: "embed",
  summary: "texts to vectors with Qwen3-Embedding, a server or the built-in embedder; how alike they are; calibration",
  configure(command) {
    command.helpCommand(false);
    addEmbedderFlags(command.argument("[texts...]", "what to embed"))
      .option("--file <file>", "more texts; - is standard input")
      .option("--instruction <text>", "what the texts are queries for")
      .option("--out <file>", "write the vectors to FILE.npy or FILE.safetensors")
      .option("--compare", "print the cosine of every text with every other one")
      .addHelpText("after", afterHelp)
      .action((texts: string[], options: EmbedOptions) => longRun((run) => embed(texts, options, run)));
    configureCalibrate(command.command("calibrate"));
  },
};

const calibrateHelp = `
Without --bank and --data the theatre's paraphrases are taken. A bank says best what is one cue: a JSON list of
{ name, kind, phrases }. A corpus says less: emotion cues of clips with one label state that label, two cues of one clip
differ. delta is the threshold of the best F1 with both sorts of pairs weighing the same; oppo train compares its delta with
the record: --set calibration=delta.json.

Examples:
  oppo embed calibrate --embedder theatre
  oppo embed calibrate --embedder qwen3:models/Qwen3-Embedding-0.6B --bank concepts.json --out delta.json --page delta.html`;

interface CalibrateOptions extends EmbedderFlags {
  readonly bank?: string;
  readonly data?: string;
  readonly clauseInstruction: string;
  readonly out?: string;
  readonly page?: string;
  readonly seed: number;
}

function configureCalibrate(command: Command): void {
  addEmbedderFlags(command)
    .description(
      "Cosines of phrases for the same cue and for different ones, and where the threshold (delta) should lie.",
    )
    .addOption(new Option("--bank <file>", "paraphrases by concept").conflicts("data"))
    .option("--data <file>", "samples with cues, one JSON object per line")
    .option("--clause-instruction <text>", "as clauseInstruction of oppo train", "auto")
    .option("--out <file>", "write the record as JSON")
    .option("--page <file>", "write a page with the two distributions (HTML)")
    .option("--seed <number>", "of the drawn pairs and the interval", wholeNumber, 0)
    .option("--json", "print the result and errors as JSON")
    .option("--verbose", "print errors with their stack")
    .addHelpText("after", calibrateHelp)
    .action((options: CalibrateOptions) => longRun((run) => calibrate(options, run)));
}

async function calibrate(options: CalibrateOptions, { progress, interrupt }: LongRun): Promise<void> {
  const { calibrateEmbedder } = await import("../../recipes/embed/calibrate-embedder.ts");
  const { calibrationText } = await import("../../recipes/embed/calibrate-text.ts");
  const { calibrationPage } = await import("../../recipes/embed/calibrate-page.ts");
  const { openEmbedder } = await import("../../corpus/open-embedder.ts");
  const { replaceFile } = await import("../../run/checkpoint.ts");
  const { bank = null, data = null, seed, out, page } = options;
  const access = await accessOf(options, options.clauseInstruction, interrupt.signal);
  using opened = await openEmbedder(requireEmbedder(options), access);
  for (const note of opened.notes) progress.log(note);
  const record = await calibrateEmbedder(opened, { bank, data, seed }, progress.log);
  if (out !== undefined) replaceFile(out, `${JSON.stringify(record, null, 2)}\n`);
  if (page !== undefined) replaceFile(page, calibrationPage(record));
  console.log(options.json ? JSON.stringify(record, null, 2) : calibrationText(record));
}

function addEmbedderFlags(command: Command): Command {
  command
    .option("--embedder <choice>", "theatre, builtin:BANK.json, qwen3:DIR or endpoint:URL#MODEL")
    .option("--dimension <count>", "leading numbers of a vector to keep (default: all)", count)
    .option(
      "--max-text-tokens <count>",
      "longer texts are cut, with qwen3: (default: 8192; calibrate: 512, as training)",
      count,
    )
    .option("--device <name>", "cpu or cuda, with qwen3: (default: cpu)")
    .addOption(
      new Option("--dtype <type>", "of the weights, with qwen3: (default: float32)").choices(["float32", "bfloat16"]),
    );
  return addClientFlags(command);
}

async function embed(given: string[], options: EmbedOptions, { progress, interrupt }: LongRun): Promise<void> {
  const { gatherTexts } = await import("../../recipes/embed/texts.ts");
  const { compareTexts, embedTexts, requireVectorFile, writeVectors } = await import(
    "../../recipes/embed/embed-texts.ts"
  );
  const { matrixText, vectorsText } = await import("../../recipes/embed/embed-text.ts");
  const { openEmbedder } = await import("../../corpus/open-embedder.ts");
  const { out, compare, instruction } = options;
  if (instruction === "") throw new InvalidArgumentError("--instruction: expected a text, got an empty one");
  if (out !== undefined) requireVectorFile(out);
  const texts = gatherTexts(given, options.file ?? null);
  const access = { maxTokens: null, ...(await accessOf(options, instruction ?? "", interrupt.signal)) };
  using opened = await openEmbedder(requireEmbedder(options), access);
  const embedded = await embedTexts(opened, texts, { asQueries: instruction !== undefined, progress, interrupt });
  const cosines = compare ? compareTexts(embedded) : null;
  if (out !== undefined) await writeVectors(out, embedded);
  const { embedder, dimension, vectors } = embedded;
  if (options.json) {
    const rows = texts.map((_, i) => [...vectors.subarray(i * dimension, (i + 1) * dimension)]);
    console.log(
      JSON.stringify({
        embedder,
        dimension,
        instruction: instruction ?? null,
        texts,
        ...(out === undefined ? { vectors: rows } : { out }),
        ...(cosines === null ? {} : { cosines }),
      }),
    );
  } else if (cosines !== null) console.log(matrixText(embedded, cosines));
  else if (out === undefined) console.log(vectorsText(embedded));
  if (out !== undefined && !options.json) console.log(`${out}: ${texts.length} x ${dimension}, ${embedder}`);
}

function requireEmbedder({ embedder }: EmbedderFlags): string {
  if (embedder !== undefined) return embedder;
  throw new InvalidArgumentError("required option '--embedder <choice>' not specified");
}

async function accessOf(options: EmbedderFlags, instruction: string, signal: AbortSignal): Promise<EmbedderAccess> {
  const { dimension, maxTextTokens, device, dtype } = options;
  return {
    ...(await embedderAccess(options, instruction, signal, "all")),
    ...(dimension === undefined ? {} : { dimension }),
    ...(maxTextTokens === undefined ? {} : { maxTokens: maxTextTokens }),
    ...(device === undefined ? {} : { device }),
    ...(dtype === undefined ? {} : { dtype }),
  };
}
