// The same run on more and more GPUs: what a rank holds and sends, how long a step takes, and what bounds it.
import { formatBytes } from "../../run/disk.ts";
import { engineTraffic, rankTraffic } from "../../train/cost/engines.ts";
import { spreadOver } from "../../train/cost/spread.ts";
import { runSeconds } from "../../train/cost/time.ts";
import { sum } from "../../train/memory/standing.ts";
import type { Plan } from "./plan-model.ts";
import { assumptions, columns, duration } from "./plan-text.ts";

export interface ScaleRow {
  readonly gpus: number;
  readonly engines: number;
  /** Null: nothing fits; then the other figures are 0. */
  readonly learns: string | null;
  /** Of a rank, and of an engine. */
  readonly rankBytes: number;
  readonly engineBytes: number;
  /** Prompts of the fullest rank, and completions of each. */
  readonly prompts: number;
  readonly group: number;
  readonly idleGpus: number;
  /** In a step: of a rank to others, and of all to the engines. */
  readonly rankTraffic: number;
  readonly engineTraffic: number;
  readonly stepSeconds: number;
  readonly runSeconds: number;
  /** Of the time that as many GPUs as trained alone would take if they shared the work of one evenly; null for the first row. */
  readonly efficiency: number | null;
  /** The part of a step that takes longest. */
  readonly bound: string;
}

export function scaleRows(plans: readonly Plan[]): ScaleRow[] {
  const first = plans.find(({ chosen }) => chosen !== null);
  return plans.map((plan): ScaleRow => {
    const { chosen, gpus, idleGpus, steps } = plan;
    const engines = plan.engines?.engines ?? 0;
    const none = { gpus, engines, idleGpus, learns: null, rankBytes: 0, engineBytes: 0, prompts: 0, group: 0 };
    if (chosen === null) {
      return {
        ...none,
        rankTraffic: 0,
        engineTraffic: 0,
        stepSeconds: 0,
        runSeconds: 0,
        efficiency: null,
        bound: "memory",
      };
    }
    const { batch } = chosen.task;
    const { prompts, group } = spreadOver(batch.prompts, batch.groupSize, gpus);
    const { seconds, parts } = chosen.time;
    const slowest = parts.reduce((most, part) => (part.seconds > most.seconds ? part : most));
    const alone = first!.chosen!.time.seconds * first!.gpus;
    return {
      ...{ gpus, engines, idleGpus, learns: chosen.name, prompts, group },
      ...{ rankBytes: chosen.memory.peakBytes, engineBytes: chosen.engineBytes },
      rankTraffic: sum(rankTraffic(chosen.task).map(({ bytes }) => bytes)),
      engineTraffic: engines === 0 ? 0 : sum(engineTraffic(chosen.task).map(({ bytes }) => bytes)),
      ...{ stepSeconds: seconds, runSeconds: runSeconds(chosen.time, steps) },
      efficiency: plan === first || chosen.name !== first!.chosen!.name ? null : alone / (seconds * gpus),
      bound: slowest.name,
    };
  });
}

export function scaleText(plans: readonly Plan[]): string {
  const [plan] = plans;
  const rows = scaleRows(plans);
  const withEngines = rows.some(({ engines }) => engines > 0);
  const header = [
    ...["GPUs", "learns", "memory of a rank", "prompts x completions", "idle", "sent by a rank", "a step", "the run"],
    ...["efficiency", "longest part"],
    ...(withEngines ? ["engines", "memory of one", "sent to them"] : []),
  ];
  const lines = columns([header, ...rows.map((row) => scaleCells(row, withEngines))]);
  const readable = plans.findLast(({ chosen }) => chosen !== null);
  return [
    `${plan!.title} on ${plan!.gpu.name}, ${plan!.program} --preset ${plan!.preset}, ${plan!.steps} steps`,
    "",
    ...lines,
    "",
    ...(readable === undefined ? ["Nothing fits on any of them."] : assumptions(readable)),
    "  efficiency: one GPU's time over this one's, by GPU, where the same weights learn; engines are not counted in it",
  ].join("\n");
}

function scaleCells(row: ScaleRow, withEngines: boolean): string[] {
  const engine = withEngines ? [String(row.engines), formatBytes(row.engineBytes), formatBytes(row.engineTraffic)] : [];
  if (row.learns === null) return [String(row.gpus), "nothing fits"];
  return [
    ...[
      String(row.gpus),
      row.learns,
      formatBytes(row.rankBytes),
      `${row.prompts} x ${row.group}`,
      String(row.idleGpus),
    ],
    ...[formatBytes(row.rankTraffic), duration(row.stepSeconds), duration(row.runSeconds)],
    ...[row.efficiency === null ? "" : `${Math.round(100 * row.efficiency)}%`, row.bound],
    ...engine,
  ];
}
