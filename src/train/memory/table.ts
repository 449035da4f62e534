// An estimate as lines for people, and the refusal of a run that cannot fit.
import { OppoError } from "../../error.ts";
import { formatBytes } from "../../run/disk.ts";
import { estimateMemory } from "./estimate.ts";
import { type FittingPlan, planToFit } from "./remedies.ts";
import type { MemoryEstimate, MemoryLine, MemoryTask } from "./task.ts";

/** What is free, and where. */
export interface Room {
  readonly device: string;
  /** null: nobody tells. */
  readonly freeBytes: number | null;
}

export interface MemoryReport {
  readonly estimate: MemoryEstimate;
  readonly room: Room;
  /** null: the room is not known. */
  readonly fits: boolean | null;
  /** Where it does not fit: what to change. */
  readonly plan: FittingPlan | null;
}

export function reportMemory(task: MemoryTask, room: Room): MemoryReport {
  const estimate = estimateMemory(task);
  const { freeBytes } = room;
  const fits = freeBytes === null ? null : estimate.peakBytes <= freeBytes;
  return { estimate, room, fits, plan: fits === false ? planToFit(task, freeBytes!) : null };
}

/** What a dry run tells: lines for people, and numbers without the model's shape that they were reckoned from. */
export interface DryRun {
  readonly text: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly fits: boolean | null;
}

/** @param assumptions one line each */
export function dryRunOf(report: MemoryReport, assumptions: readonly string[]): DryRun {
  const { estimate, room, fits, plan } = report;
  const { standing, standingBytes, phases, largest, peakBytes } = estimate;
  return {
    text: [...assumptions, "", memoryText(report)].join("\n"),
    facts: {
      ...{ assumptions, standing, standingBytes, phases, largest: largest.name, peakBytes, room, fits },
      plan: plan && { remedies: plan.remedies, peakBytes: plan.peakBytes, fits: plan.fits },
    },
    fits,
  };
}

/** Example line: "  weights                      17.9 GB" */
export function memoryText({ estimate, room, fits, plan }: MemoryReport): string {
  const { standing, standingBytes, phases, largest, peakBytes } = estimate;
  const rows: [string, string][] = [["from the first step to the last", formatBytes(standingBytes)]];
  rows.push(...standing.map(lineRow));
  for (const phase of phases) {
    const mark = phase === largest ? "  <- most" : "";
    rows.push([`besides, in the part "${phase.name}"`, `${formatBytes(phase.bytes)}${mark}`]);
    rows.push(...phase.lines.map(lineRow));
  }
  rows.push(["at most, beside the program itself", formatBytes(peakBytes)]);
  rows.push([`free on ${room.device}`, room.freeBytes === null ? "not known" : formatBytes(room.freeBytes)]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`);
  if (fits === true) lines.push("It fits.");
  if (plan !== null) lines.push(planText(plan));
  return lines.join("\n");
}

function lineRow({ name, bytes }: MemoryLine): [string, string] {
  return [`  ${name}`, formatBytes(bytes)];
}

function planText({ remedies, peakBytes, fits }: FittingPlan): string {
  const lines = remedies.map(
    ({ change, bytesSaved, changesResults }) =>
      `  ${change}  saves ${formatBytes(bytesSaved)}${changesResults ? ", and changes results" : ""}`,
  );
  const head = fits
    ? "It does not fit. What to change, in this order:"
    : "It does not fit, and no settings make it fit:";
  return [head, ...lines, `  with all of it: ${formatBytes(peakBytes)}`].join("\n");
}

/** @throws OppoError ERR_MEMORY with the plan that fits */
export function requireMemory({ estimate, room, fits, plan }: MemoryReport): void {
  if (fits !== false || plan === null || room.freeBytes === null) return;
  const changes = plan.remedies.map(({ change }) => change).join(" ");
  const advice = plan.fits
    ? `This fits, in ${formatBytes(plan.peakBytes)}: ${changes}`
    : `With ${changes === "" ? "nothing left to change" : changes} it still takes ${formatBytes(plan.peakBytes)}: take a smaller model, shorter clips or a larger machine`;
  throw new OppoError(
    "ERR_MEMORY",
    `memory: expected at least ${formatBytes(estimate.peakBytes)} free on ${room.device} for a step, got ${formatBytes(room.freeBytes)}. ${advice}; --dry-run shows the table, --overcommit goes on all the same.`,
  );
}
