// Where a step's time goes: the parts that the log names, as means of the last steps, a bar per run.
import { shown } from "../numbers.ts";
import type { Curve } from "./series.ts";

export interface TimedRun {
  readonly name: string;
  readonly curve: Curve;
}

const lastSteps = 20;
const prefix = "timing_s/";

export function StepTime({ runs }: { readonly runs: readonly TimedRun[] }) {
  const rows = runs.map(({ name, curve }) => ({ name, ...partsOf(curve) })).filter(({ total }) => total > 0);
  if (rows.length === 0) return null;
  return (
    <section aria-labelledby="times-title">
      <h2 id="times-title">Where a step's time goes</h2>
      <p class="soft">Means of the last {lastSteps} points; what no part names is "other".</p>
      {rows.map(({ name, total, parts }) => (
        <div key={name} class="times">
          <p>
            <strong>{name}</strong> {shown(total)} s a step
          </p>
          <div class="stack" aria-hidden="true">
            {parts.map(({ part, seconds }, i) => (
              <i
                key={part}
                class={`part-${i % 6}`}
                style={{ flexGrow: seconds }}
                title={`${part}: ${shown(seconds)} s`}
              />
            ))}
          </div>
          <ul class="parts">
            {parts.map(({ part, seconds }, i) => (
              <li key={part}>
                <i class={`dot part-${i % 6}`} /> {part} {shown(seconds)} s{" "}
                <span class="soft">({Math.round((100 * seconds) / total)}%)</span>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}

function partsOf({ values }: Curve): {
  readonly total: number;
  readonly parts: readonly { part: string; seconds: number }[];
} {
  const total = lastMean(values.step_time);
  const named = Object.entries(values)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, list]) => ({ part: name.slice(prefix.length), seconds: lastMean(list) }))
    .filter(({ seconds }) => seconds > 0.002 * total)
    .sort((a, b) => b.seconds - a.seconds);
  const rest = total - named.reduce((sum, { seconds }) => sum + seconds, 0);
  return { total, parts: rest > 0.01 * total ? [...named, { part: "other", seconds: rest }] : named };
}

function lastMean(values: readonly (number | null)[] | undefined): number {
  const last = (values ?? []).filter((value) => value !== null).slice(-lastSteps);
  return last.length === 0 ? 0 : last.reduce((sum, value) => sum + value, 0) / last.length;
}
