// The texts of the reference's files: numbered steps between <step> tags, and their fractions between <score> tags.

/** "<step>Step 1: He smiles. Step 2: ... happy.</step>" -> its steps; null where there are none. */
export function stepsIn(text: string): string[] | null {
  const body = /<step>([\s\S]*?)(?:<\/step>|$)/i.exec(text)?.[1] ?? text;
  const steps = body
    .split(/(?:^|\s|\()Step\s+\d+\s*[:.)]/i)
    .slice(1)
    .map((step) => step.trim())
    .filter((step) => step !== "");
  return steps.length === 0 ? null : steps;
}

/**
 * "<score>Step 1: 1/1, Step 2: 2/3</score>" -> [1, 2 / 3]; null where it says no scores. Unlike the reference's reading, a line
 * break inside the tags is allowed, and a fraction of nothing or above one is no score instead of 0 or more than 1.
 */
export function scoresIn(text: string): number[] | null {
  const body = /<score>([\s\S]*?)<\/score>/i.exec(text)?.[1];
  if (body === undefined) return null;
  const fractions = [...body.matchAll(/:\s*(\d+)\s*\/\s*(\d+)/g)].map(([, of, total]) => Number(of) / Number(total));
  return fractions.length > 0 && fractions.every((score) => score >= 0 && score <= 1) ? fractions : null;
}
