// One model under the X-ray: what it says of the clip as it is, with the words that the change takes its ground from, and of the clip as
// it was changed; which cues vanish and appear; and what a clause hangs on.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ChangeView, ModelEntry, XrayAnswer } from "../../src/serve/studio/api.ts";
import { occlusions } from "./change.ts";
import { type Told, useAnswer, useCompared } from "./use-answers.ts";

export interface ModelViewProps {
  readonly model: ModelEntry;
  readonly run: string;
  readonly sample: string;
  readonly change: ChangeView;
  readonly swap: string;
  /** Nats of every cell and piece for the chosen clause; null: nothing to show. */
  readonly onMap: (nats: readonly number[] | null) => void;
}

const intact: ChangeView = { swap: null, masks: [] };
/** So many nats are drawn at full strength. */
const fullStrengthNats = 2;

export function ModelView({ model, run, sample, change, swap, onMap }: ModelViewProps) {
  const place = { model: model.id, run, sample };
  const isChanged = change.masks.length > 0 || change.swap !== null;
  const before = useAnswer(place, intact);
  const after = useAnswer(place, isChanged ? change : null);
  const ids = before.answer?.ids ?? null;
  const heat = useCompared(place, ids, isChanged ? [change] : null);
  const [clause, setClause] = useState<number | null>(null);
  const [isLooking, setLooking] = useState(false);
  const maps = occlusions(swap);
  const looked = useCompared(place, ids, isLooking ? maps : null);
  const span = clause === null ? undefined : before.answer?.clauses[clause]?.tokens;
  const map =
    looked.numDone < maps.length || span === undefined ? null : looked.nats.map((nats) => meanOf(nats ?? [], span));
  useEffect(() => onMap(map), [JSON.stringify(map)]);
  const choose = (k: number) => {
    setClause(k === clause ? null : k);
    setLooking(true);
  };
  return (
    <section class="xray-model" aria-label={model.name}>
      <h2>{model.name}</h2>
      <div class="sides">
        <div>
          <h3>As it is</h3>
          <Said told={before} nats={heat.nats[0] ?? null} clause={clause} onClause={choose} />
        </div>
        <div>
          <h3>{isChanged ? "Changed" : "Change something: a mask, or another sound"}</h3>
          {isChanged && <Said told={after} nats={null} clause={null} onClause={null} />}
        </div>
      </div>
      {isLooking && (
        <p class="tools" role="status">
          {looked.numDone < maps.length ? (
            <>
              <progress max={maps.length} value={looked.numDone} aria-label="occlusions" /> {looked.numDone} of{" "}
              {maps.length} places covered
              <button type="button" onClick={() => setLooking(false)}>
                Cancel
              </button>
            </>
          ) : clause === null ? (
            "Choose a clause to see what it hangs on."
          ) : (
            "The map over the clip and the curve below it show what the clause hangs on."
          )}
          {looked.problem}
        </p>
      )}
      {heat.problem !== null && <p class="warn">{heat.problem}</p>}
      <CueTable before={before.answer} after={isChanged ? after.answer : null} />
    </section>
  );
}

interface SaidProps {
  readonly told: Told;
  /** Per token, under the change; null: none. */
  readonly nats: readonly number[] | null;
  readonly clause: number | null;
  readonly onClause: ((clause: number) => void) | null;
}

function Said({ told: { text, answer, problem, firstAfter }, nats, clause, onClause }: SaidProps) {
  if (problem !== null) return <p class="warn">{problem}</p>;
  if (answer === null) return <p class="said live">{text === "" ? "..." : text}</p>;
  const { clauses, ends } = answer;
  const parts: ComponentChildren[] = [];
  let token = 0;
  const upTo = (end: number) => {
    const words = [];
    for (; token < end && token < ends.length; token++)
      words.push(<Word key={token} answer={answer} token={token} nats={nats} />);
    return words;
  };
  clauses.forEach(({ tokens: [start, end] }, k) => {
    parts.push(...upTo(start));
    const inside = upTo(end);
    parts.push(
      onClause === null ? (
        <span key={`c${k}`}>{inside}</span>
      ) : (
        <button
          key={`c${k}`}
          type="button"
          class="clause"
          aria-pressed={clause === k}
          title="what does it hang on?"
          onClick={() => onClause(k)}
        >
          {inside}
        </button>
      ),
    );
  });
  return (
    <>
      <p class="said">{[...parts, ...upTo(ends.length)]}</p>
      {onClause === null && firstAfter !== null && (
        <p class="soft small">first word after {Math.round(firstAfter)} ms</p>
      )}
    </>
  );
}

function Word({
  answer,
  token,
  nats,
}: {
  readonly answer: XrayAnswer;
  readonly token: number;
  readonly nats: readonly number[] | null;
}) {
  const text = answer.text.slice(answer.ends[token - 1] ?? 0, answer.ends[token]);
  const value = nats?.[token];
  if (value === undefined) return <>{text}</>;
  const strength = Math.round(100 * Math.min(1, value / fullStrengthNats));
  return (
    <mark class="heat" style={{ "--strength": `${strength}%` }} title={`${value.toFixed(2)} nats under the change`}>
      {text}
    </mark>
  );
}

/** Every cue of the clip, and which clause comes nearest to it in both answers. */
function CueTable({ before, after }: { readonly before: XrayAnswer | null; readonly after: XrayAnswer | null }) {
  if (before === null) return null;
  const problem = before.routingProblem ?? after?.routingProblem ?? null;
  if (before.routingProblem !== null) return <p class="soft small">{problem}</p>;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">cue</th>
          <th scope="col">as it is</th>
          {after !== null && <th scope="col">changed</th>}
        </tr>
      </thead>
      <tbody>
        {before.cues.map(({ kind, text }, c) => {
          const [was, now] = [nearest(before, c), after === null ? null : nearest(after, c)];
          const word = now === null || was.isMet === now.isMet ? "" : now.isMet ? "appears" : "vanishes";
          return (
            <tr key={c}>
              <td class={kind}>{text}</td>
              <td>{was.words}</td>
              {now !== null && (
                <td>
                  {word !== "" && <strong class={now.isMet ? "up" : "down"}>{word} </strong>}
                  {now.words}
                </td>
              )}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function nearest(
  { clauses, similarity, threshold }: XrayAnswer,
  cue: number,
): { readonly isMet: boolean; readonly words: string } {
  let best = -1;
  let at = -1;
  for (let k = 0; k < clauses.length; k++) {
    const value = similarity[cue * clauses.length + k] ?? -1;
    if (value > best) [best, at] = [value, k];
  }
  const isMet = best > threshold;
  return { isMet, words: isMet ? `${clauses[at]!.text} (${best.toFixed(2)})` : `- (${Math.max(0, best).toFixed(2)})` };
}

function meanOf(nats: readonly number[], [start, end]: readonly [number, number]): number {
  const own = nats.slice(start, end);
  return own.length === 0 ? 0 : own.reduce((sum, value) => sum + value, 0) / own.length;
}
