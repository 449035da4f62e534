// A reward taken apart: every term, its weight, and what it brings.
import { shown } from "../numbers.ts";

export interface RewardsProps {
  readonly rewards: Readonly<Record<string, number | null>>;
  readonly weights: Readonly<Record<string, number>>;
}

export function Rewards({ rewards, weights }: RewardsProps) {
  const terms = Object.entries(rewards);
  if (terms.length === 0) return null;
  return (
    <dl class="terms">
      {terms.map(([name, value]) => {
        const weight = weights[name];
        return (
          <div key={name}>
            <dt>
              {name}
              {weight !== undefined && weight !== 1 && <span class="soft"> x {shown(weight)}</span>}
            </dt>
            <dd>
              <meter min={0} max={Math.max(1, value ?? 0)} value={value ?? 0} aria-label={name} /> {shown(value)}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

/** By term, of a run's settings. */
export function weightsOf(settings: Readonly<Record<string, string>>): Record<string, number> {
  try {
    const terms: unknown = JSON.parse(settings["reward.terms"] ?? "[]");
    const pairs = (Array.isArray(terms) ? terms : []) as readonly { name?: unknown; weight?: unknown }[];
    return Object.fromEntries(
      pairs.flatMap(({ name, weight }) =>
        typeof name === "string" && typeof weight === "number" ? [[name, weight]] : [],
      ),
    );
  } catch {
    return {};
  }
}
