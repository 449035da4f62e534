// A run's numbers, kept as curves while somebody looks at them and read on as the logs grow.
import { join } from "node:path";
import type { LogState, SeriesAnswer } from "../api.ts";
import { LineTail, parseRow } from "../logs/line-tail.ts";
import { Series } from "../logs/series.ts";

const maxLineBytes = 262_144;
const evaluationPrefix = "eval/";

/** A log and the curves made of it. */
interface Curve {
  readonly tail: LineTail;
  readonly series: Series;
}

/** metrics.jsonl and evaluation.jsonl of one run. */
export class RunCurves {
  readonly #metrics: Curve;
  readonly #evaluation: Curve;

  constructor(path: string) {
    this.#metrics = openCurve(path, "metrics.jsonl");
    this.#evaluation = openCurve(path, "evaluation.jsonl");
  }

  async catchUp(): Promise<void> {
    for (const { tail } of [this.#metrics, this.#evaluation]) await tail.catchUp();
  }

  logs(): LogState[] {
    return [this.#metrics, this.#evaluation].map(({ tail }) => tail.state());
  }

  /** Names of evaluations' numbers begin with "eval/". */
  names(): string[] {
    return [...this.#metrics.series.names(), ...this.#evaluation.series.names().map((name) => evaluationPrefix + name)];
  }

  /** @param names all of one log @param from index of the first point wanted, of that generation */
  answer(names: readonly string[], isEvaluation: boolean, generation: string, from: number): SeriesAnswer {
    const { tail, series } = isEvaluation ? this.#evaluation : this.#metrics;
    const now = `${tail.generation}:${series.stride}`;
    const start = now === generation ? Math.max(0, Math.min(from, series.numPoints)) : 0;
    const inLog = (name: string) => (isEvaluation ? name.slice(evaluationPrefix.length) : name);
    return {
      generation: now,
      stride: series.stride,
      start,
      steps: series.steps(start),
      values: Object.fromEntries(names.map((name) => [name, series.values(inLog(name), start)])),
      isWhole: tail.isWhole,
    };
  }
}

function openCurve(path: string, name: string): Curve {
  const series = new Series();
  const tail = new LineTail(join(path, name), name, {
    maxLineBytes,
    onReset: () => series.clear(),
    onLine: (line) => {
      const parsed = parseRow(line);
      if ("problem" in parsed) return parsed.problem;
      series.add(parsed.row);
      return null;
    },
  });
  return { tail, series };
}
