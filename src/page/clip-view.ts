// One clip of the report: the video that plays, what is in it, and what each arm claims about it, with and without
// each modality; then the evidence routing and the per-token divergence behind the reward and the loss.
import type { Cue } from "../evidence/cue.ts";
import type { Modality } from "../media/clip.ts";
import type { PlacedArm } from "./arm-choice.ts";
import type { ArmStory, ClipStory, Narration, Segment, TokenDivergence } from "./data.ts";
import { scrolling } from "./document.ts";
import { type Html, html } from "./html.ts";
import { videoView } from "./video-view.ts";

/** A divergence of this many nats is drawn at full strength. */
const fullStrengthNats = 2;

const verdictTitles = {
  present: "in the clip",
  absent: "not in the clip",
  unseen: "claimed although this modality was masked",
};

/** @param places of the arms, by name */
export function clipView(story: ClipStory, places: ReadonlyMap<string, PlacedArm>, threshold: number): Html {
  const section = (arm: ArmStory, content: Html) => {
    const { title, place } = places.get(arm.arm) ?? { title: arm.arm, place: 0 };
    return html`<section data-arm="${place}"><h4>${title}</h4>${content}</section>`;
  };
  return html`<article class="clip" id="${story.id}">
  <header>
    ${videoView({ ...story, label: `${story.caption}: \u201c${story.subtitle}\u201d` })}
    <div>
      <h3>${story.caption}</h3>
      <p class="subtitle">\u201c${story.subtitle}\u201d</p>
      <p>${story.cues.map(cueChip)}</p>
      <p class="muted">annotated: ${story.labels.join(", ")}</p>
    </div>
  </header>
  <div class="arms">
    ${story.arms.map((arm) =>
      section(
        arm,
        html`${narrationView("sees and hears", arm.full)}
      ${narrationView("video blacked out", arm.masked.video)}
      ${narrationView("sound silenced", arm.masked.audio)}`,
      ),
    )}
  </div>
  <details><summary>Evidence routing and divergence per token</summary>
    <div class="arms">
      ${story.arms.map((arm) =>
        section(
          arm,
          html`${routingView(arm, threshold)}
        ${divergenceView("video", arm.tokens)}
        ${divergenceView("audio", arm.tokens)}`,
        ),
      )}
    </div>
  </details>
</article>`;
}

function cueChip(cue: Cue): Html {
  return html`<span class="chip ${cue.kind}">${cue.text}</span> `;
}

export function narrationView(view: string, narration: Narration): Html {
  return html`<div class="narration">
    <h5>${view}${!narration.wellFormed && html` <span class="broken">broken format</span>`}</h5>
    <p>${narration.segments.map(segmentView)} <span class="answer">${narration.answer}</span></p>
  </div>`;
}

function segmentView(segment: Segment): Html {
  if (segment.claim === undefined) return html`${segment.text}`;
  const { kind, verdict } = segment.claim;
  return html`<mark class="${kind} ${verdict}" title="${kind}: ${verdictTitles[verdict]}">${segment.text}</mark>`;
}

/** The matrix M of Eq. 1 as a table of coloured cells; cells above the threshold carry their number. */
function routingView(arm: ArmStory, threshold: number): Html {
  const { cues, clauses, similarity } = arm.routing;
  if (clauses.length === 0) return html`<p class="muted">no clause to route</p>`;
  const table = html`<table class="routing">
    <thead><tr><th scope="col"><span class="aside">cue</span></th>${clauses.map((clause) => html`<th scope="col"><span>${clause}</span></th>`)}</tr></thead>
    <tbody>${cues.map(
      (cue, c) =>
        html`<tr><th scope="row" class="${cue.kind}">${cue.text}</th>${clauses.map((clause, k) => {
          const value = similarity[c * clauses.length + k] ?? 0;
          const strength = Math.round(Math.max(0, value) * 100);
          return html`<td class="${cue.kind}" style="--strength:${strength}%" title="${clause}: ${value.toFixed(2)}">${value > threshold && value.toFixed(1)}</td>`;
        })}</tr>`,
    )}</tbody>
  </table>`;
  return scrolling("Evidence routing: clauses by cues", table);
}

function divergenceView(modality: Modality, tokens: readonly TokenDivergence[]): Html {
  return html`<div class="narration"><h5>KL when ${modality === "video" ? "the video is blacked out" : "the sound is silenced"}</h5>
  <p class="divergence">${tokens.map((token) => {
    const nats = token[modality];
    const strength = Math.round(Math.min(1, nats / fullStrengthNats) * 100);
    return html`<span class="${modality}" style="--strength:${strength}%" title="${nats.toFixed(2)} nats">${token.text}</span>`;
  })}</p></div>`;
}
