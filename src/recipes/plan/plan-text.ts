// A plan as text: what may learn and whether it fits, the chosen settings as a command line, where memory and time go, and every
// assumption.

import { formatBytes } from "../../run/disk.ts";
import { engineTraffic } from "../../train/cost/engines.ts";
import { type TimePart, usualEfficiency } from "../../train/cost/parts.ts";
import type { Candidate } from "../../train/cost/search.ts";
import { runSeconds } from "../../train/cost/time.ts";
import { comparedText } from "../../train/memory/counterfactuals.ts";
import type { Plan } from "./plan-model.ts";

export function planText(plan: Plan): string {
  const { gpu, gpus, candidates, chosen } = plan;
  const billions = (plan.numParameters / 1e9).toFixed(2);
  const lines = [
    `${plan.title}, ${billions} billion parameters, on ${gpus} x ${gpu.name} (${gpu.gigabytes} GB, of which tensors may take ${formatBytes(plan.usableBytes)})`,
    `${plan.program} --preset ${plan.preset}, ${plan.steps} steps`,
    "",
    ...columns([
      ["learns", "fits", "memory", "a step", "the run", "frames", "recompute", "prompts at once", "chunk"],
      ...candidates.map((candidate) => candidateRow(candidate, plan.steps)),
    ]),
  ];
  if (chosen === null) {
    const least = Math.min(...candidates.map(({ memory }) => memory.peakBytes));
    lines.push(
      "",
      `Nothing fits; the least that any of them takes is ${formatBytes(least)}. Take more memory, more GPUs or a smaller model.`,
    );
    return lines.join("\n");
  }
  lines.push(
    "",
    `Chosen: ${chosen.name}`,
    `  oppo ${plan.program} --preset ${plan.preset} ${plan.support === null ? "" : `--perception-support ${plan.support} `}${flagsOf(chosen)}${plan.engines === null ? "" : ` --rollouts URL[,URL...]${plan.engines.ahead ? " --rollout-ahead 1" : ""}`}`,
  );
  lines.push(
    "",
    "Memory of one GPU",
    ...memoryRows(chosen),
    ...engineRows(plan),
    "",
    "Time of a step",
    ...timeRows(chosen),
    ...beforeRows(chosen),
    "",

    ...assumptions(plan),
  );
  return lines.join("\n");
}

function candidateRow({ name, fits, memory, time, task }: Candidate, steps: number): string[] {
  const { recomputes, promptsPerMicroBatch, tokensPerChunk } = task.learner;
  return [
    ...[name, fits ? "yes" : "no", formatBytes(memory.peakBytes)],
    ...[duration(time.seconds), duration(runSeconds(time, steps))],
    ...[String(task.batch.media?.frames ?? 0), recomputes ? "on" : "off"],
    ...[String(promptsPerMicroBatch), String(tokensPerChunk)],
  ];
}

/** As options of the command. */
function flagsOf({ task }: Candidate): string {
  const { trainable, lora, recomputes, promptsPerMicroBatch, tokensPerChunk } = task.learner;
  const adapter = trainable === "lora" ? ` --lora-rank ${lora.rank} --lora-alpha ${2 * lora.rank}` : "";
  return `--device cuda --dtype bfloat16 --trainable ${trainable}${adapter} --recompute ${recomputes ? "on" : "off"} --prompts-per-micro-batch ${promptsPerMicroBatch} --tokens-per-chunk ${tokensPerChunk}`;
}

function memoryRows({ memory }: Candidate): string[] {
  const { standing, largest, peakBytes } = memory;
  return columns([
    ...standing.map(({ name, bytes }) => [`  ${name}`, formatBytes(bytes)]),
    ...largest.lines.map(({ name, bytes }) => [`  ${name} (${largest.name})`, formatBytes(bytes)]),
    ["  at most", formatBytes(peakBytes)],
  ]);
}

function engineRows({ engines, chosen }: Plan): string[] {
  if (engines === null) return [];
  const sent = engineTraffic(chosen!.task).map(({ name, bytes }) => [`  ${name}`, formatBytes(bytes)]);
  return [
    "",
    "Engines",
    ...columns([["  memory of one, without its server", formatBytes(chosen!.engineBytes)], ...sent]),
  ];
}

function timeRows({ time }: Candidate): string[] {
  return columns([
    ...time.parts.map(partRow),
    ["  together", duration(time.seconds), `${teraflops(time.flops)} TFLOP`, ""],
  ]);
}

function beforeRows({ time }: Candidate): string[] {
  return time.before.length === 0 ? [] : ["", "Before the first step", ...columns(time.before.map(partRow))];
}

function partRow({ name, seconds, flops, assumption }: TimePart): string[] {
  return [`  ${name}`, duration(seconds), flops === 0 ? "" : `${teraflops(flops)} TFLOP`, assumption];
}

const teraflops = (flops: number) => (flops / 1e12).toPrecision(3);

export function assumptions({ gpu, gpus, idleGpus, engines, chosen }: Plan): string[] {
  const { batch } = chosen!.task;
  const { compute, memory } = usualEfficiency;
  const media = batch.media;
  return [
    "Assumed",
    `  peak ${gpu.teraflops} TFLOP/s in bfloat16, ${gpu.gigabytesPerSecond} GB/s (${gpu.source}); ${100 * compute}% of the first and ${100 * memory}% of the second are reached`,
    `  ${batch.prompts} prompts of ${batch.promptTokens} tokens${media === null ? "" : ` (${media.frames} frames of ${media.width} x ${media.height}, ${media.audioSeconds} s of sound, 128 tokens of text)`}, ${batch.groupSize} completions of ${batch.newTokens} tokens, all as long as they may be`,
    `  ${comparedText(batch)}; decoding of files, rewards and an embedder run beside the step`,
    ...(gpus > 1
      ? [
          `  ${gpus} GPUs: ${gpu.linkGigabytesPerSecond} GB/s of a GPU to others, one way; the fullest rank decides${idleGpus > 0 ? `; ${idleGpus} have no completion of a step: more prompts a step would use them` : ""}`,
        ]
      : []),
    ...(engines === null
      ? []
      : [
          `  ${engines.engines} engines beside them, of the same kind, start a token's kernels at once; ${engines.ahead ? "one step ahead" : "before every step"}`,
        ]),
    "  memory: 8% of a GPU and 1 GB are left to libraries; the estimate is tested against counted bytes on the CPU (docs/gpus.md)",
  ];
}

/** Columns as wide as their widest cell. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
}

export function duration(seconds: number): string {
  const [value, unit] =
    seconds < 120
      ? [seconds, "s"]
      : seconds < 7200
        ? [seconds / 60, "min"]
        : seconds < 172_800
          ? [seconds / 3600, "h"]
          : [seconds / 86_400, "days"];
  return `${value < 10 ? value.toPrecision(2) : Math.round(value)} ${unit}`;
}
