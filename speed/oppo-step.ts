// What an OPPO step costs beside a reward-only step, at the demo's sizes: real clips, a cold start that answers in the right form,
// rollouts, scores, masks, gradients, AdamW. The arms take turns within one process and on the same weights (the update has a
// learning rate of 0), so a busy machine slows all alike and all see the same completions.
// Usage: npm run bench:step -- [--run runs/demo] [--arms "reward-only; oppo"] [--steps 12] [--warmup 2] [--json]
import { setNumThreads, torchVersion } from "../src/tensor/index.ts";
import { readOptions } from "./support/options.ts";
import { type ArmTimes, measureArms, parseArm } from "./support/step-work.ts";

/** The most that an OPPO step may cost, in reward-only steps. */
const promised = 1.4;

interface Row extends ArmTimes {
  /** Of the medians, to the first arm's. */
  readonly ratio: { readonly wall: number; readonly cpu: number };
}

function print({ arm, wall, cpu, phases, viewTokens, ratio }: Row, isFirst: boolean): void {
  const seconds = (value: number) => `${value.toFixed(3)} s`;
  const verdict = isFirst ? "" : ` (promised ${promised}: ${ratio.wall <= promised ? "met" : "MISSED"})`;
  console.log(arm);
  console.log(
    `  wall median ${seconds(wall.median)}, min ${seconds(wall.min)}, ratio ${ratio.wall.toFixed(2)}${verdict}; ` +
      `cpu median ${seconds(cpu.median)}, min ${seconds(cpu.min)}, ratio ${ratio.cpu.toFixed(2)}`,
  );
  const parts = Object.entries(phases).map(([name, value]) => `${name} ${value.toFixed(3)}`);
  console.log(`  ${parts.join("  ")}  | ${viewTokens.toFixed(0)} tokens compared`);
}

async function main(): Promise<void> {
  const values = readOptions("bench:step", "OPPO steps beside reward-only steps, interleaved, at the demo's sizes.", {
    run: { help: "a demo's run, whose cold start and clips are used; left out, a small one is made", value: "folder" },
    arms: {
      help: "presets with path=value changes, parted by semicolons; the first is what the others are compared with",
      value: "list",
      default: "reward-only; oppo",
    },
    steps: { help: "steps of every arm that are measured", value: "count", default: "12" },
    warmup: { help: "steps of every arm before them", value: "count", default: "2" },
    threads: { help: "threads", value: "count", default: "1" },
  });
  setNumThreads(Number(values.threads));
  const times = await measureArms(
    values.arms.split(";").map((text) => parseArm(text.trim())),
    { run: values.run ?? null, steps: Number(values.steps), warmup: Number(values.warmup) },
  );
  const [first] = times as [ArmTimes];
  const rows = times.map(
    (arm): Row => ({
      ...arm,
      ratio: { wall: arm.wall.median / first.wall.median, cpu: arm.cpu.median / first.cpu.median },
    }),
  );
  if (values.json) console.log(JSON.stringify({ libtorch: torchVersion(), promised, rows }, null, 2));
  else for (const [i, row] of rows.entries()) print(row, i === 0);
}

await main();
