// One clip and its cues, to be accepted, corrected, rejected and added; every key has a button.
import { useEffect, useState } from "preact/hooks";
import type { CueView } from "../../src/serve/studio/api.ts";
import type { ReviewedCue, ReviewedSampleView } from "../../src/serve/studio/data/data-api.ts";
import { useKeys } from "../keys.ts";
import { Clip } from "../rollouts/clip.tsx";
import { CueForm, kindNames } from "./cue-form.tsx";
import { readDraft, writeDraft } from "./draft.ts";
import { seenBy, withWaiting } from "./judged.ts";
import { decide, type Pending } from "./pending.ts";

const actNames = { accept: "accepted", reject: "rejected", correct: "corrected to" } as const;

interface ReviewProps {
  readonly corpus: string;
  readonly by: string;
  readonly shown: ReviewedSampleView;
  readonly pending: Pending;
  /** Whether others' decisions are shown before one's own. */
  readonly isOpen: boolean;
  readonly onNameless: () => void;
}

type Typing = { readonly at: number | null; readonly start: CueView } | null;

/** What was typed about this clip before another one was looked at. */
function typedBefore(corpus: string, by: string, { view, cues }: ReviewedSampleView): Typing {
  const draft = readDraft(corpus, by, view.id);
  if (draft === null) return null;
  const { old, now } = draft;
  if (old === null) return { at: null, start: now };
  const at = cues.findIndex(({ cue }) => cue.kind === old.kind && cue.text === old.text);
  return at < 0 ? { at: null, start: now } : { at, start: now };
}

export function Review({ corpus, by, shown, pending, isOpen, onNameless }: ReviewProps) {
  const { view, problem } = shown;
  const sample = view.id;
  // What is open comes first.
  const [at, setAt] = useState(() =>
    Math.max(
      0,
      shown.cues.findIndex((one) => seenBy(by, one, true).own === null),
    ),
  );
  const [typing, setTyping] = useState<Typing>(() => typedBefore(corpus, by, shown));
  const [said, setSaid] = useState("");
  // What is shown may rest on a journal without the decisions that arrived since.
  const since = pending.arrived.filter(({ total }) => total > shown.total);
  const mine = [...since, ...pending.waiting].filter((one) => one.corpus === corpus && one.request.sample === sample);
  const cues = withWaiting(
    shown.cues,
    mine.map(({ request }) => request),
  );
  const chosen = Math.min(at, cues.length - 1);
  const isDecided = (one: ReviewedCue) => seenBy(by, one, true).own !== null;
  const put = (act: "accept" | "reject" | "correct" | "add", cue: CueView, to?: CueView) => {
    if (by === "") return onNameless();
    decide(corpus, { by, sample, act, cue, ...(to === undefined ? {} : { to }) });
    setSaid(`${act === "add" ? "added" : actNames[act]} ${to?.text ?? cue.text}`);
  };
  const judge = (act: "accept" | "reject", index = chosen) => {
    const one = cues[index];
    if (one === undefined) return;
    put(act, plain(one.cue));
    if (by !== "") setAt(Math.min(index + 1, cues.length - 1));
  };
  const type = (next: Typing) => (by === "" ? onNameless() : setTyping(next));
  const correct = (index = chosen) => {
    const one = cues[index];
    if (one !== undefined) type({ at: index, start: seenBy(by, one, true).own?.to ?? plain(one.cue) });
  };
  const add = (kind: CueView["kind"]) => type({ at: null, start: { kind, text: "" } });
  const leave = () => {
    writeDraft(corpus, by, sample, null);
    setTyping(null);
  };
  const onTyped = (now: CueView) => {
    const index = typing?.at ?? null;
    writeDraft(corpus, by, sample, { old: index === null ? null : plain(cues[index]!.cue), now });
  };
  const keep = (cue: CueView) => {
    const index = typing!.at;
    const old = index === null ? null : cues[index]!.cue;
    if (old === null) put("add", cue);
    else if (old.kind === cue.kind && old.text === cue.text) put("accept", cue);
    else put("correct", plain(old), cue);
    if (index !== null) setAt(Math.min(index + 1, cues.length - 1));
    leave();
  };
  useKeys({
    ...{ ArrowDown: () => setAt(Math.min(chosen + 1, cues.length - 1)), ArrowUp: () => setAt(Math.max(chosen - 1, 0)) },
    ...{ a: () => judge("accept"), x: () => judge("reject"), c: () => correct() },
    ...{ s: () => add("video"), h: () => add("audio"), e: () => add("emotion") },
    A: () => {
      for (const one of cues) if (!isDecided(one)) put("accept", plain(one.cue));
    },
  });
  useEffect(() => document.querySelector(".judged.chosen")?.scrollIntoView({ block: "nearest" }), [chosen]);
  return (
    <div class="review" data-sample={sample}>
      <div class="review-clip">
        <Clip sample={view} problem={problem} />
        {view.subtitle !== "" && <p class="subtitle">{view.subtitle}</p>}
        {view.labels.length > 0 && <p class="soft small">labels: {view.labels.join(", ")}</p>}
      </div>
      <div class="review-cues">
        <h1>{sample}</h1>
        <p role="status" class="hidden">
          {said}
        </p>
        {cues.length === 0 && <p class="soft">This clip has no cues. Add what is seen, heard and concluded.</p>}
        <ol class="judged-list">
          {cues.map((one, index) =>
            typing?.at === index ? (
              <li key="typing">
                <CueForm title="Correct the cue" start={typing.start} {...{ onTyped }} onKeep={keep} onLeave={leave} />
              </li>
            ) : (
              <JudgedCue
                key={`${one.cue.kind}:${one.cue.text}`}
                {...{ one, by, isOpen, isChosen: index === chosen }}
                onChoose={() => setAt(index)}
                onAccept={() => judge("accept", index)}
                onReject={() => judge("reject", index)}
                onCorrect={() => correct(index)}
              />
            ),
          )}
        </ol>
        {typing !== null && typing.at === null ? (
          <CueForm title="Add a cue" start={typing.start} {...{ onTyped }} onKeep={keep} onLeave={leave} />
        ) : (
          <p class="adding">
            <span class="soft">Add what is</span>
            <button type="button" class="chip video" onClick={() => add("video")} title="key s">
              seen
            </button>
            <button type="button" class="chip audio" onClick={() => add("audio")} title="key h">
              heard
            </button>
            <button type="button" class="chip emotion" onClick={() => add("emotion")} title="key e">
              concluded
            </button>
          </p>
        )}
        {cues.length > 0 && cues.every(isDecided) && <p class="soft">All decided: key j leads to the next clip.</p>}
        {view.reasoning !== "" && (
          <details open>
            <summary>The annotator's account</summary>
            <p class="said">{view.reasoning}</p>
          </details>
        )}
      </div>
    </div>
  );
}

interface JudgedCueProps {
  readonly one: ReviewedCue;
  readonly by: string;
  readonly isOpen: boolean;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
  readonly onAccept: () => void;
  readonly onReject: () => void;
  readonly onCorrect: () => void;
}

function JudgedCue({ one, by, isOpen, isChosen, onChoose, onAccept, onReject, onCorrect }: JudgedCueProps) {
  const { cue, addedBy, confidence } = one;
  const { own, others } = seenBy(by, one, isOpen);
  const names = addedBy.map((name) => (name === by ? "you" : name)).join(", ");
  return (
    <li class={`judged ${own?.act ?? "open"}${isChosen ? " chosen" : ""}`} aria-current={isChosen ? "true" : undefined}>
      <button type="button" class="judged-text" onClick={onChoose}>
        <span class={`chip ${cue.kind}`}>{kindNames[cue.kind]}</span>
        <span class="judged-words">{cue.text}</span>
      </button>
      <span class="judged-facts">
        {own !== null && (
          <strong class={own.act}>
            {actNames[own.act]}
            {own.act === "correct" && ` ${shownCue(own.to!, cue)}`}
          </strong>
        )}
        {others.map((verdict) => (
          <span key={verdict.by}>
            {verdict.by}: {actNames[verdict.act]}
            {verdict.act === "correct" && ` ${shownCue(verdict.to!, cue)}`}
          </span>
        ))}
        {names !== "" && <span class="soft">added by {names}</span>}
        {confidence !== null && confidence.value < 1 && <span class="soft">{doubtOf(confidence)}</span>}
      </span>
      <span class="judged-acts">
        <button type="button" onClick={onAccept} title="key a" aria-label={`Accept ${cue.text}`}>
          Accept
        </button>
        <button type="button" onClick={onCorrect} title="key c" aria-label={`Correct ${cue.text}`}>
          Correct
        </button>
        <button type="button" onClick={onReject} title="key x" aria-label={`Reject ${cue.text}`}>
          Reject
        </button>
      </span>
    </li>
  );
}

function plain({ kind, text }: CueView): CueView {
  return { kind, text };
}

function doubtOf({ value, isStated }: NonNullable<ReviewedCue["confidence"]>): string {
  if (isStated) return `confidence ${value.toFixed(2)}`;
  return value === 0 ? "not in the account" : `${(100 * value).toFixed(0)} % of its words in the account`;
}

function shownCue(to: CueView, from: CueView): string {
  return to.kind === from.kind ? to.text : `${to.text} (${kindNames[to.kind]})`;
}
