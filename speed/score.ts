// Scoring speed: 100,000 samples on five wheels with a 1,000-fold bootstrap, on one core. The samples are random draws of
// emotion words, one to four per side, so rows repeat less than those of real predictions do.
// Usage: npm run bench:score -- [--samples 100000] [--resamples 1000] [--json]
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { seededUniform } from "../src/bench/bootstrap.ts";
import { publishedRules } from "../src/bench/mer-unibench/rules.ts";
import { scoreSet } from "../src/bench/mer-unibench/score-set.ts";
import { openLexicon } from "../src/emotion/open-lexicon/open-lexicon.ts";
import { labelResolver } from "../src/emotion/resolver.ts";
import { readOptions } from "./support/options.ts";

/** What we promise, on one core: CPU time, which other work on the machine does not stretch. */
const promised = { seconds: 5, mebibytes: 500 };
const confidence = 0.95;
const maxLabels = 4;
const seed = 1;

interface Measured {
  readonly samples: number;
  readonly resamples: number;
  /** Parsing, resolving, scoring, resampling; the lexicon is built inside. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Of the whole process. */
  readonly peakMebibytes: number;
  readonly level1: number;
}

function measure(samples: number, resamples: number): Measured {
  const random = seededUniform(seed);
  const words = [...openLexicon().forms!.keys()];
  const draw = () =>
    `[${Array.from({ length: 1 + Math.floor(random() * maxLabels) }, () => words[Math.floor(random() * words.length)]).join(", ")}]`;
  const gold = new Map(Array.from({ length: samples }, (_, i) => [`sample-${i}`, draw()]));
  const texts = [...gold.values()].map((own) => (random() < 0.5 ? own : draw()));
  const started = process.hrtime.bigint();
  const cpuBefore = process.cpuUsage();
  const truth = { dataset: "random", kind: "open", rows: gold, source: "random" } as const;
  const { score } = scoreSet(
    { truth, metric: "ew", texts, form: "labels", polarities: null },
    {
      resolver: labelResolver(openLexicon(), { wheelsOnly: true }),
      rules: publishedRules,
      bootstrap: { seed, numResamples: resamples, confidence },
    },
  );
  const cpu = process.cpuUsage(cpuBefore);
  return {
    samples,
    resamples,
    seconds: Number(process.hrtime.bigint() - started) / 1e9,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    peakMebibytes: process.resourceUsage().maxRSS / 1024,
    level1: score.metrics.level1!.value!,
  };
}

function main(): void {
  const values = readOptions("bench:score", "Scoring on five wheels with a bootstrap, on one core.", {
    samples: { help: "scored samples", value: "count", default: "100000" },
    resamples: { help: "of the bootstrap", value: "count", default: "1000" },
    child: { help: "" },
  });
  if (values.child) {
    console.log(JSON.stringify(measure(Number(values.samples), Number(values.resamples))));
    return;
  }
  // In a process of its own, so that memory is the work's alone.
  const script = fileURLToPath(import.meta.url);
  const args = [script, "--child", "--samples", values.samples, "--resamples", values.resamples];
  const child = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (child.status !== 0) throw new Error(`bench:score: the measurement failed\n${child.stderr}`);
  const measured = JSON.parse(child.stdout) as Measured;
  if (values.json) {
    console.log(JSON.stringify({ promised, ...measured }, null, 2));
    return;
  }
  const { samples, resamples, seconds, cpuSeconds, peakMebibytes, level1 } = measured;
  const verdict = (isMet: boolean) => (isMet ? "met" : "MISSED");
  console.log(`${samples} samples, five wheels, two rings, ${resamples} resamples; EW ${(100 * level1).toFixed(2)}`);
  console.log(
    `  ${cpuSeconds.toFixed(2)} s of one core (promised ${promised.seconds}: ${verdict(cpuSeconds < promised.seconds)}), ${seconds.toFixed(2)} s wall`,
  );
  console.log(
    `  peak memory ${peakMebibytes.toFixed(0)} MiB (promised ${promised.mebibytes}: ${verdict(peakMebibytes < promised.mebibytes)})`,
  );
}

main();
