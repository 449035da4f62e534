// `oppo infer`: what a model says about clips.

import { InvalidArgumentError, Option } from "commander";
import type { Answer, Modality, Unread } from "../../recipes/infer/infer.ts";
import type { CommandDefinition, CommonOptions } from "../command.ts";
import { count, wholeNumber } from "../number.ts";

interface MaskOption {
  readonly modality: Modality;
  readonly ratio: number;
}

interface InferCommandOptions extends CommonOptions {
  readonly model: string;
  readonly adapter?: string;
  readonly question?: string;
  readonly subtitle?: string;
  readonly system?: string;
  readonly mask: readonly MaskOption[];
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly repetitionPenalty?: number;
  readonly together?: true;
  readonly audioInVideo?: true;
  readonly seed: number;
  readonly device?: string;
  readonly dtype?: "float32" | "bfloat16";
  readonly checkValues?: true;
  readonly stream?: true;
}

const afterHelp = `
--mask video=0.7 blackens 70 % of the picture's cells, --mask audio=1 silences all of the sound: does the model still claim
to have seen or heard? The spoken line comes from CLIP.vtt or CLIP.srt beside the clip unless --subtitle gives it
(--subtitle "" leaves it out). Pictures (JPEG, PNG, WebP, BMP) are clips of one frame. --json prints one array, in the order
of the clips.

Every clip is a question of its own; with --together all are one, in the order given.

Example:
  oppo infer runs/demo/corpus/dev/clips/*.mp4 --model runs/demo/models/sft --mask video=0.7 --stream
  oppo infer before.mp4 after.mp4 --together --question "What changed in her mood?" --model Qwen2.5-Omni-7B`;

export const inferCommand: CommandDefinition = {
  name: "infer",
  summary:
    "ask a model about clips: its thinking, its answer, tokens per second; with parts of a clip masked if wanted",
  configure(command) {
    command
      .argument("<clips...>", "video, audio or image files")
      .requiredOption("--model <directory>", "the model, a Hugging Face style directory")
      .option("--adapter <directory>", "a LoRA adapter on it, as PEFT writes them")
      .option("--question <text>", "what to ask (default: what the person feels, and why)")
      .option("--subtitle <text>", "the spoken line (default: of the file beside the clip)")
      .option("--system <text>", "system prompt (default: the chat template's own)")
      .option("--mask <modality=ratio>", "hide a random share, such as video=0.7; repeatable", collectMask, [])
      .option("--max-new-tokens <count>", "longest answer", count, 512)
      .option("--temperature <number>", "0 takes the likeliest token", nonNegative, 0)
      .option("--top-p <number>", "sample from the likeliest tokens of this total probability", nonNegative)
      .option("--top-k <count>", "sample from so many of the likeliest tokens", count)
      .option("--repetition-penalty <number>", "above 1 makes tokens that were there already unlikelier", nonNegative)
      .option("--together", "one question about all clips")
      .option("--audio-in-video", "the sound inside the video, interleaved in time, instead of behind it")
      .option("--seed <number>", "of masks and sampling", wholeNumber, 0)
      .option("--device <name>", "cpu or cuda (default: cpu)")
      .addOption(
        new Option("--dtype <type>", "convert the weights (default: as stored)").choices(["float32", "bfloat16"]),
      )
      .option("--check-values", "refuse weights with NaN or infinity, at the cost of reading all of them first")
      .option("--stream", "print the text as it is generated")
      .addHelpText("after", afterHelp)
      .action(run);
  },
};

async function run(clips: string[], options: InferCommandOptions): Promise<void> {
  const [{ inferAll, wordingOf }, { loadAdapter, loadModel }] = await Promise.all([
    import("../../recipes/infer/infer.ts"),
    import("../../recipes/infer/load-model.ts"),
  ]);
  const { device, dtype, checkValues } = options;
  using base = await loadModel(options.model, {
    ...(device === undefined ? {} : { device }),
    ...(dtype === undefined ? {} : { dtype }),
    checkValues: checkValues ?? false,
  });
  using adapted = options.adapter === undefined ? null : loadAdapter(base, options.adapter);
  const model = adapted ?? base;
  const numSkipped = adapted?.adapter.numSkipped ?? 0;
  if (numSkipped > 0) {
    console.error(`note: ${numSkipped} tensors of ${options.adapter} belong to the speech parts and are left out`);
  }
  const wording = wordingOf(options.model);
  const isStreamed = options.stream === true && options.json !== true;
  const answers = await inferAll(
    model,
    options.together ? [clips] : clips.map((clip) => [clip]),
    {
      wording: options.question === undefined ? wording : { ...wording, question: options.question },
      subtitle: options.subtitle ?? null,
      system: options.system ?? null,
      masks: options.mask.map((mask) => ({ ...mask, seed: options.seed })),
      maxNewTokens: options.maxNewTokens,
      temperature: options.temperature,
      topP: options.topP ?? null,
      topK: options.topK ?? null,
      repetitionPenalty: options.repetitionPenalty ?? null,
      audioInVideo: options.audioInVideo ?? false,
      seed: options.seed,
      ...(isStreamed ? { onText: (text: string) => void process.stdout.write(text) } : {}),
    },
    (answer) => {
      if (!options.json) console.log(answerText(answer, isStreamed));
    },
  );
  if (options.json) console.log(JSON.stringify(answers, null, 2));
  if (answers.some((answer) => "error" in answer)) process.exitCode = 1;
}

const percent = 100;

function answerText(answer: Answer | Unread, wasStreamed: boolean): string {
  if ("error" in answer)
    return `${answer.clips.join(", ")}\n  not read: ${answer.error.message} [${answer.error.code}]\n`;
  const masks = answer.masked.map(
    ({ clip, modality, ratio, numMasked, numUnits }) =>
      `${answer.clips.length > 1 ? `${clip} ` : ""}${modality} ${Math.round(ratio * percent)} % (${numMasked} of ${numUnits} ${modality === "video" ? "cells" : "pieces of 40 ms"})`,
  );
  const absent = (["video", "audio"] as const).filter((modality) => !answer.modalities.includes(modality));
  const rate = answer.tokensPerSecond === null ? "" : `, ${answer.tokensPerSecond.toFixed(1)} tokens/s`;
  const said =
    answer.think === null && answer.answer === null
      ? [`  text    ${answer.text.trim()}`]
      : [`  think   ${answer.think?.trim() ?? "(none)"}`, `  answer  ${answer.answer?.trim() ?? "(none)"}`];
  return [
    ...(wasStreamed ? [""] : []),
    answer.clips.join(", "),
    ...(wasStreamed ? [] : said),
    ...(answer.problem === null ? [] : [`  format  ${answer.problem}`]),
    ...(absent.length === 0 ? [] : [`  without ${absent.join(", ")}`]),
    `  masked  ${masks.length === 0 ? "nothing" : masks.join(", ")}`,
    `  speed   ${answer.numNewTokens} tokens on ${answer.numPromptTokens}, first after ${answer.firstTokenSeconds.toFixed(2)} s${rate}\n`,
  ].join("\n");
}

function collectMask(text: string, before: readonly MaskOption[]): readonly MaskOption[] {
  const match = /^(video|audio)=(0(?:\.\d+)?|1(?:\.0+)?|\.\d+)$/.exec(text);
  if (match === null) throw new InvalidArgumentError("Expected video=RATIO or audio=RATIO with a ratio from 0 to 1.");
  return [...before, { modality: match[1] as Modality, ratio: Number(match[2]) }];
}

function nonNegative(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("Expected a number of at least 0.");
}
