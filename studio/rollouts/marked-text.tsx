// A completion with its clauses coloured by the modality of the cue that they met, or with its tokens coloured by how much they depend
// on a modality, or by their KL to the reference. A pointer over a stretch shows the cue and the cosine, or the nats.
import type { ClauseView, CueView, RolloutView, TokenView } from "../../src/serve/studio/api.ts";

export interface MarkedTextProps {
  readonly rollout: RolloutView;
  readonly cues: readonly CueView[];
  readonly mode: TextMode;
}

/** What colours the text: cues that clauses met, what tokens depend on, how far they are from the reference. */
export type TextMode = "evidence" | "divergence" | "reference";

/** So many nats are drawn at full strength. */
const fullStrengthNats = 2;

export function MarkedText({ rollout, cues, mode }: MarkedTextProps) {
  const { text, clauses, tokens } = rollout;
  if (mode === "evidence") return <p class="said">{evidenceParts(text, clauses, cues)}</p>;
  const views = Object.entries(tokens?.divergence ?? {}).filter(
    ([view]) => (view === "reference") === (mode === "reference"),
  );
  if (tokens === undefined || views.length === 0) {
    const missing = mode === "reference" ? "no KL per token to the reference" : "no divergence per token";
    return (
      <p class="said soft">
        {text} (this run's log has {missing})
      </p>
    );
  }
  return <p class="said">{divergenceParts(text, tokens.ends, views)}</p>;
}

function evidenceParts(text: string, clauses: readonly ClauseView[], cues: readonly CueView[]) {
  const parts = [];
  let at = 0;
  for (const clause of [...clauses].sort((a, b) => a.chars[0] - b.chars[0])) {
    const [start, end] = clause.chars;
    if (start < at || end > text.length || end <= start) continue;
    parts.push(text.slice(at, start));
    parts.push(
      <mark key={start} class={classOf(clause, cues)} title={titleOf(clause, cues)}>
        {text.slice(start, end)}
      </mark>,
    );
    at = end;
  }
  return [...parts, text.slice(at)];
}

function classOf({ cue, kind, nearest }: ClauseView, cues: readonly CueView[]): string {
  if (cue >= 0) return kind ?? "";
  if (nearest === undefined) return "";
  return cues[nearest.cue]?.kind === "emotion" ? "emotion" : "none";
}

function titleOf({ cue, similarity, nearest }: ClauseView, cues: readonly CueView[]): string {
  const name = (index: number) => `${cues[index]?.kind ?? "cue"}: ${cues[index]?.text ?? index + 1}`;
  if (cue >= 0) return `${name(cue)} (cosine ${similarity.toFixed(2)})`;
  return nearest === undefined ? "no cue" : `nearest ${name(nearest.cue)} (cosine ${nearest.similarity.toFixed(2)})`;
}

function divergenceParts(
  text: string,
  ends: TokenView["ends"],
  views: readonly (readonly [view: string, list: readonly (readonly [position: number, nats: number])[]])[],
) {
  return ends.map((end, t) => {
    const token = text.slice(ends[t - 1] ?? 0, end);
    const here = views.flatMap(([view, list]) =>
      list.filter(([position]) => position === t).map(([, nats]) => ({ view, nats })),
    );
    if (here.length === 0) return token;
    const strongest = here.reduce((a, b) => (b.nats > a.nats ? b : a));
    const strength = Math.round(100 * Math.min(1, Math.max(0, strongest.nats) / fullStrengthNats));
    return (
      <mark
        key={t}
        class={`heat ${strongest.view}`}
        style={{ "--strength": `${strength}%` }}
        title={here
          .map(
            ({ view, nats }) =>
              `${view === "reference" ? "KL to the reference" : `${view} masked`}: ${nats.toFixed(2)} nats`,
          )
          .join(", ")}
      >
        {token}
      </mark>
    );
  });
}
