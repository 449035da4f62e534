// Guards a run against collapse: tells each sign once with its cause and remedy; if asked to, halves the coefficient that the cause
// concerns, or stops. A function of the numbers so far, so that a run which goes on from its log has what it had, to the bit.
import { z } from "zod";
import { OppoError } from "../../error.ts";
import type { StepMetrics } from "../../rl/metrics.ts";
import type { Notice } from "../../rl/reward-watch.ts";
import { Average } from "./averages.ts";
import { type Coefficient, type CollapseSign, collapseSigns, watchedMetrics } from "./collapse-signs.ts";
import type { StepNumbers } from "./step-watch.ts";

export const guardSettings = {
  guards: z
    .strictObject({
      action: z
        .enum(["warn", "halve", "stop"])
        .default("warn")
        .describe(
          "what follows a sign of collapse: a line; half the coefficient that its cause concerns (the perception loss's weight or the learning rate), for the rest of the run; or the end, with a checkpoint",
        ),
    })
    .prefault({}),
};

export interface GuardOptions {
  readonly action: "warn" | "halve" | "stop";
  /** Whether a perception loss is at work; without one the learning rate is what is halved. */
  readonly weighsPerception: boolean;
}

/** Where a step has none, numbers of its views read 0 and say nothing. */
const viewTokens = "omni/view_tokens";

/** So many steps in a row must show a sign; so many pass before the same one counts again. */
const patience = 3;
const rest = 10;

const titles: Readonly<Record<Coefficient, string>> = {
  perception: "perception.perceptionLossWeight",
  "learning-rate": "learningRate",
};

export class Guards {
  readonly #options: GuardOptions;
  readonly #averages = new Map(watchedMetrics.map((name) => [name, new Average()]));
  readonly #seen = new Set<string>();
  readonly #streaks = new Map<string, number>();
  readonly #scales: Record<Coefficient, number> = { perception: 1, "learning-rate": 1 };
  readonly #tripped = new Map<string, number>();
  #collapse: OppoError | null = null;

  constructor(options: GuardOptions = { action: "warn", weighsPerception: false }) {
    this.#options = options;
  }

  get perceptionScale(): number {
    return this.#scales.perception;
  }

  get learningRateScale(): number {
    return this.#scales["learning-rate"];
  }

  /** What ends the run, where a sign was to. */
  get collapse(): OppoError | null {
    return this.#collapse;
  }

  /** What is left of the coefficients, for the log of a run in which they may be halved. */
  metrics(): StepMetrics {
    if (this.#options.action !== "halve") return {};
    return { "guards/perception_scale": this.perceptionScale, "guards/learning_rate_scale": this.learningRateScale };
  }

  /** Looks at the numbers of a step. @returns what is to be told of them */
  look(numbers: StepNumbers): Notice[] {
    for (const [name, average] of this.#averages) {
      const value = numbers[name];
      if (value === undefined || (name.startsWith("omni/") && numbers[viewTokens] === 0)) continue;
      this.#seen.add(name);
      average.add(typeof value === "number" ? value : Number.NaN);
    }
    return collapseSigns.flatMap((sign) => this.#lookFor(sign));
  }

  #lookFor(sign: CollapseSign): Notice[] {
    const average = (metric: string) => (this.#seen.has(metric) ? this.#averages.get(metric)! : null);
    const before = this.#streaks.get(sign.name) ?? 0;
    // Below zero it rests, whatever shows.
    const streak = before < 0 || sign.shows(average) ? before + 1 : 0;
    this.#streaks.set(sign.name, streak);
    if (streak < patience) return [];
    this.#streaks.set(sign.name, -rest);
    const times = (this.#tripped.get(sign.name) ?? 0) + 1;
    this.#tripped.set(sign.name, times);
    const cause = `${sign.name}: ${sign.cause(average)}, for ${patience} steps`;
    return this.#act(sign, cause, times);
  }

  #act(sign: CollapseSign, cause: string, times: number): Notice[] {
    const concerned = sign.concerns === "perception" && this.#options.weighsPerception ? "perception" : "learning-rate";
    const title = titles[concerned];
    if (this.#options.action === "halve") {
      this.#scales[concerned] /= 2;
      const line = `${cause}. ${title} is now ${this.#scales[concerned]} of what was set (guards.action halve).`;
      return [{ name: times === 1 ? sign.name : `${sign.name} ${times}`, line }];
    }
    if (this.#options.action === "stop") {
      this.#collapse ??= new OppoError(
        "ERR_COLLAPSE",
        `${cause}: expected a run that keeps its form, and stopped (guards.action stop); its checkpoint and log are kept. Start again from an earlier one with --from RUN/checkpoints/step-N and a lower ${title}, or with guards.action halve.`,
      );
    }
    if (times > 1) return [];
    const remedy = `Lower ${title}, raise referenceKlWeight, and go back with --from to a checkpoint or to best/; guards.action halve or stop does something by itself.`;
    return [{ name: sign.name, line: `${cause}. ${remedy}` }];
  }
}
