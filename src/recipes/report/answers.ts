// What a model said last: rollouts with what they earned and which clauses were taken as evidence, or the answers of an evaluation.
import { z } from "zod";
import { type Html, html } from "../../page/html.ts";
import type { StepRow } from "../../run/metrics.ts";

const clause = z.object({
  chars: z.tuple([z.int().min(0), z.int().min(0)]),
  cue: z.int(),
  kind: z.enum(["video", "audio"]).nullable(),
  similarity: z.number(),
});
const rollout = z.object({
  text: z.string(),
  numTokens: z.number(),
  truncated: z.boolean(),
  wellFormed: z.boolean(),
  problem: z.string().nullish(),
  reward: z.number(),
  rewards: z.record(z.string(), z.number()),
  advantage: z.number(),
  clauses: z.array(clause),
});
const group = z.object({ sample: z.string(), rollouts: z.array(rollout) });
const answer = z.object({ id: z.string(), text: z.string(), expected: z.string() });

const maxShown = 6;

/** The last step's groups; what is no row of ours is left out. */
export function rolloutViews(rows: readonly StepRow[]): Html[] {
  return rows.slice(0, maxShown).flatMap((row) => {
    const { data } = group.safeParse(row);
    if (data === undefined) return [];
    return [
      html`<article class="clip"><h3>${data.sample}</h3><div class="arms">${data.rollouts.map(rolloutView)}</div></article>`,
    ];
  });
}

function rolloutView(one: z.infer<typeof rollout>): Html {
  const terms = Object.entries(one.rewards).map(([name, value]) => `${name} ${short(value)}`);
  const flaws = [
    ...(one.wellFormed ? [] : [`broken format${one.problem ? `: ${one.problem}` : ""}`]),
    ...(one.truncated ? ["cut at the limit"] : []),
  ];
  return html`<section class="narration"><h5>reward ${short(one.reward)} (${terms.join(", ")}), advantage ${short(one.advantage)}
${flaws.map((flaw) => html` <span class="broken">${flaw}</span>`)}</h5><p>${marked(one.text, one.clauses)}</p></section>`;
}

/** Clauses that are evidence of a cue, in the colour of its modality. */
function marked(text: string, clauses: readonly z.infer<typeof clause>[]): Html[] {
  const parts: Html[] = [];
  let at = 0;
  for (const { chars, kind, similarity } of clauses) {
    const [start, end] = chars;
    if (kind === null || start < at || end > text.length || end < start) continue;
    parts.push(html`${text.slice(at, start)}`);
    parts.push(
      html`<mark class="${kind}" title="${kind}: similarity ${similarity.toFixed(2)}">${text.slice(start, end)}</mark>`,
    );
    at = end;
  }
  return [...parts, html`${text.slice(at)}`];
}

/** What an evaluation's samples were answered, beside what was to be said. */
export function answerViews(rows: readonly StepRow[]): Html[] {
  return rows.slice(0, maxShown).flatMap((row) => {
    const { data } = answer.safeParse(row);
    if (data === undefined) return [];
    return [
      html`<article class="clip"><h3>${data.id}</h3><div class="arms"><section class="narration"><h5>said</h5><p>${data.text}</p></section>
<section class="narration"><h5>to be said</h5><p>${data.expected}</p></section></div></article>`,
    ];
  });
}

function short(value: number): string {
  return String(Number(value.toFixed(2)));
}
