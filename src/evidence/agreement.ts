// How far two people agree beyond what chance would bring: Cohen's kappa (1960), kappa = (p_o - p_e) / (1 - p_e), where p_o is the share
// of things that both gave the same label and p_e = sum over labels of the product of both people's shares of that label.

export interface Agreement {
  /** Things that both judged. */
  readonly n: number;
  /** p_o; null where they judged nothing together. */
  readonly observed: number | null;
  /** p_e */
  readonly expected: number | null;
  /** 1: always the same; 0: as chance has it; below: less. null: nothing in common, or one label alone, of which chance explains all. */
  readonly kappa: number | null;
}

/** @param pairs per thing the label that each of the two gave; labels are names without an order */
export function cohenKappa(pairs: readonly (readonly [first: string, second: string])[]): Agreement {
  const n = pairs.length;
  if (n === 0) return { n, observed: null, expected: null, kappa: null };
  const counts = [new Map<string, number>(), new Map<string, number>()] as const;
  let numSame = 0;
  for (const [first, second] of pairs) {
    counts[0].set(first, (counts[0].get(first) ?? 0) + 1);
    counts[1].set(second, (counts[1].get(second) ?? 0) + 1);
    if (first === second) numSame++;
  }
  // Whole numbers up to the division: one label alone gives exactly n * n.
  let byChance = 0;
  for (const [label, count] of counts[0]) byChance += count * (counts[1].get(label) ?? 0);
  const square = n * n;
  return {
    n,
    observed: numSame / n,
    expected: byChance / square,
    kappa: byChance === square ? null : (numSame * n - byChance) / (square - byChance),
  };
}
