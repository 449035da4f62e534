// `oppo infer`: what a model says about clips.

import type { Command } from "commander";
import type { Answer, Unread } from "../../recipes/infer/infer.ts";
import { inferIdle, inferSettings, masksOf } from "../../recipes/infer/settings.ts";
import type { SettingsOf } from "../../run/config.ts";
import { addHelp } from "../base/command.ts";
import { printJsonList } from "../base/json.ts";
import { type Call, withSettings } from "../base/settings-command.ts";

const help = {
  notes: `--mask video=0.7 blackens 70 % of the picture's cells, --mask audio=1 silences all of the sound, --mask video=blur:0.5 blurs:
does the model still claim to have seen or heard? The spoken line comes from CLIP.vtt or CLIP.srt beside the clip unless --subtitle gives it
(--subtitle "" leaves it out). Pictures (JPEG, PNG, WebP, BMP) are clips of one frame. --json prints one list, in the order
of the clips, which "oppo score" reads.

Every clip is a question of its own; with --together all are one, in the order given.`,
  examples: [
    "oppo infer runs/demo/corpus/congruent/clips/*.mp4 --model runs/demo/models/sft --mask video=0.7 --stream",
    'oppo infer before.mp4 after.mp4 --together --question "What changed in her mood?" --model Qwen2.5-Omni-7B',
  ],
};

export function configureInfer(command: Command): void {
  addHelp(command.argument("<clips...>", "video, audio or image files, or JSON lines of samples (.jsonl)"), help);
  withSettings(command, { schema: inferSettings, idle: inferIdle }, run);
}

async function run(settings: SettingsOf<typeof inferSettings>, { args: clips, isJson }: Call): Promise<void> {
  const [{ inferAll, wordingNote, wordingOf }, { loadAdapter, loadModel }, { questionsOf }] = await Promise.all([
    import("../../recipes/infer/infer.ts"),
    import("../../recipes/infer/load-model.ts"),
    import("../../recipes/infer/questions.ts"),
  ]);
  const {
    device,
    dtype,
    videoTime,
    checkValues,
    question,
    system,
    mask,
    stream,
    together,
    model: folder,
    adapter,
    ...asking
  } = settings;
  using base = await loadModel(folder, {
    ...{ device, checkValues },
    ...(dtype === null ? {} : { dtype }),
    ...(videoTime === null ? {} : { videoTime }),
  });
  using adapted = adapter === null ? null : loadAdapter(base, adapter);
  for (const notice of base.notices) console.error(`note: ${notice}`);
  const numSkipped = adapted?.adapter.numSkipped ?? 0;
  if (numSkipped > 0)
    console.error(`note: ${numSkipped} tensors of ${adapter} belong to the speech parts and are left out`);
  const known = wordingOf(adapter === null ? [folder] : [adapter, folder]);
  if (!isJson) console.error(wordingNote(known, question));
  const { wording } = known;
  const isStreamed = stream && !isJson;
  const answers = await inferAll(
    adapted ?? base,
    await questionsOf(clips, together, (line) => console.error(line)),
    {
      ...asking,
      wording: { ...wording, question: question ?? wording.question, system: system ?? wording.system },
      masks: masksOf(mask, settings.seed),
      ...(isStreamed ? { onText: (text: string) => void process.stdout.write(text) } : {}),
    },
    (answer) => {
      if (!isJson) console.log(answerText(answer, isStreamed));
    },
  );
  if (isJson) printJsonList("infer", answers);
  if (answers.some((answer) => "error" in answer)) process.exitCode = 1;
}

const percent = 100;

/** Example: "video 70 % (12 of 17 cells)", "audio noise at 50 %" */
function maskTextOf({ modality, kind, ratio, numMasked, numUnits }: Answer["masked"][number]): string {
  const dose = `${Math.round(ratio * percent)} %`;
  if (numMasked === null) return `${modality} ${kind} at ${dose}`;
  return `${modality} ${dose} (${numMasked} of ${numUnits} ${modality === "video" ? "cells" : "pieces of 40 ms"})`;
}

function answerText(answer: Answer | Unread, wasStreamed: boolean): string {
  if ("error" in answer)
    return `${answer.clips.join(", ")}\n  not read: ${answer.error.message} [${answer.error.code}]\n`;
  const masks = answer.masked.map((mask) => `${answer.clips.length > 1 ? `${mask.clip} ` : ""}${maskTextOf(mask)}`);
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
    ...answer.notices.map((notice) => `  notice  ${notice}`),
    ...(absent.length === 0 ? [] : [`  without ${absent.join(", ")}`]),
    `  masked  ${masks.length === 0 ? "nothing" : masks.join(", ")}`,
    `  speed   ${answer.numNewTokens} tokens on ${answer.numPromptTokens}, first after ${answer.firstTokenSeconds.toFixed(2)} s${rate}\n`,
  ].join("\n");
}
