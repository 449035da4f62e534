// `oppo embed`: sentence vectors of any embedder.

import type { Command } from "commander";
import { embedIdle, embedSettings } from "../../../recipes/embed/settings.ts";
import type { SettingsOf } from "../../../run/config.ts";
import { addHelp } from "../../base/command.ts";
import { printJsonLine } from "../../base/json.ts";
import { type LongRun, longRun } from "../../base/long-run.ts";
import { type Call, withSettings } from "../../base/settings-command.ts";
import { accessOf } from "./access.ts";
import { configureCalibrate } from "./calibrate.ts";

const help = {
  notes: `Texts come from the arguments, from --file (one per line, or a JSON array in a .json file) or, with --file -, from
standard input. --instruction makes them queries, as Qwen3-Embedding wants them; else they are documents. docs/embedders.md
has more.`,
  examples: [
    'oppo embed "a bright smile" "she grins" "a loud voice" --embedder theatre --compare',
    "oppo embed --file cues.txt --embedder qwen3:models/Qwen3-Embedding-0.6B --out cues.npy",
    'oppo embed "joy" --embedder endpoint:http://localhost:8000/v1#Qwen/Qwen3-Embedding-0.6B --json',
    "oppo embed calibrate --embedder qwen3:models/Qwen3-Embedding-0.6B --out delta.json --page delta.html",
  ],
};

export function configureEmbed(command: Command): void {
  command.argument("[texts...]", "what to embed");
  addHelp(command, help);
  withSettings(command, { schema: embedSettings, idle: embedIdle }, (settings, call) =>
    longRun((run) => embed(settings, call, run)),
  );
  configureCalibrate(command.command("calibrate"));
}

async function embed(settings: SettingsOf<typeof embedSettings>, { args, isJson }: Call, run: LongRun): Promise<void> {
  const { progress, interrupt } = run;
  const { gatherTexts } = await import("../../../recipes/embed/texts.ts");
  const { compareTexts, embedTexts, requireVectorFile, writeVectors } = await import(
    "../../../recipes/embed/embed-texts.ts"
  );
  const { matrixText, vectorsText } = await import("../../../recipes/embed/embed-text.ts");
  const { openEmbedder } = await import("../../../corpus/open-embedder.ts");
  const { out, compare, instruction, embedder: choice } = settings;
  if (out !== null) requireVectorFile(out);
  const texts = gatherTexts(args, settings.file);
  const access = { maxTokens: null, ...(await accessOf(settings, instruction ?? "", interrupt.signal)) };
  using opened = await openEmbedder(choice, access);
  const embedded = await embedTexts(opened, texts, { asQueries: instruction !== null, progress, interrupt });
  const cosines = compare ? compareTexts(embedded) : null;
  if (out !== null) await writeVectors(out, embedded);
  const { embedder, dimension, vectors } = embedded;
  if (isJson) {
    const rows = texts.map((_, i) => [...vectors.subarray(i * dimension, (i + 1) * dimension)]);
    printJsonLine("embed", {
      embedder,
      dimension,
      instruction,
      texts,
      ...(out === null ? { vectors: rows } : { out }),
      ...(cosines === null ? {} : { cosines }),
    });
    return;
  }
  if (cosines !== null) console.log(matrixText(embedded, cosines));
  else if (out === null) console.log(vectorsText(embedded));
  if (out !== null) console.log(`${out}: ${texts.length} x ${dimension}, ${embedder}`);
}
