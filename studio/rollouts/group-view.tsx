// One prompt's group: the clip with its cues, and what was said about it, side by side, with what each part earned.
import type { CueView, GroupDetail, RolloutView, RunDetail } from "../../src/serve/studio/api.ts";
import { choose } from "../address.ts";
import { shown } from "../numbers.ts";
import { Problem } from "../runs/runs-room.tsx";
import { useAsked } from "../server.ts";
import { xrayLink } from "../xray/xray-room.tsx";
import { Clip } from "./clip.tsx";
import { MarkedText, type TextMode } from "./marked-text.tsx";
import { Rewards, weightsOf } from "./rewards.tsx";

export interface GroupViewProps {
  readonly run: string;
  readonly line: string;
  readonly detail: RunDetail | null;
  readonly mode: TextMode;
}

const modeNames: Readonly<Record<TextMode, string>> = {
  evidence: "evidence",
  divergence: "divergence per token",
  reference: "KL to the reference per token",
};

export function modeOf(text: string): TextMode {
  return Object.hasOwn(modeNames, text) ? (text as TextMode) : "evidence";
}

/** What the address holds of the mode that comes next; empty: evidence. */
export function nextMode(mode: TextMode): string {
  return { evidence: "divergence", divergence: "reference", reference: "" }[mode];
}

export function groupPath(run: string, line: string): string {
  return `/api/runs/${run}/rollouts/${line}`;
}

export function GroupView({ run, line, detail, mode }: GroupViewProps) {
  const { value: group, problem } = useAsked<GroupDetail>(groupPath(run, line));
  if (problem !== null) return <Problem text={problem} />;
  if (group === null) return <p class="soft pad">Reading the group ...</p>;
  const { entry, rollouts, cues, asked, sample, sampleProblem, others } = group;
  const weights = weightsOf(detail?.settings ?? {});
  return (
    <article class="group" data-line={entry.line}>
      <header class="clip-head">
        <Clip key={entry.sample} sample={sample} problem={sampleProblem} />
        <div class="clip-facts">
          <h1>{entry.sample}</h1>
          <p>
            step {entry.step}, mean reward {shown(entry.mean)} ({shown(entry.lowest)} to {shown(entry.highest)})
          </p>
          {sample !== null && sample.subtitle !== "" && <p class="subtitle">"{sample.subtitle}"</p>}
          {asked !== null && (
            <p>
              asked: {asked.question} <span class="soft">annotated: {asked.expected}</span>
            </p>
          )}
          <Cues cues={cues} rollouts={rollouts} />
          {sample !== null && sample.labels.length > 0 && <p class="soft">labels: {sample.labels.join(", ")}</p>}
          <Others others={others} line={entry.line} />
          {sample?.media?.kind === "video" && <a href={xrayLink(run, group)}>X-ray this clip</a>}
        </div>
      </header>
      <p class="legend">
        <button type="button" class="quiet" title="key m" onClick={() => choose({ mode: nextMode(mode) })}>
          {modeNames[mode]}
        </button>
        {mode === "divergence" && <span>stronger: the token depends more on what is masked</span>}
        {mode === "reference" && <span>stronger: the token is less what the reference would have said</span>}
        {mode === "evidence" && (
          <>
            <mark class="video">a seen cue</mark> <mark class="audio">a heard cue</mark>{" "}
            <mark class="none">a claim that no cue supports</mark>
          </>
        )}
      </p>
      <ul class="rollouts">
        {rollouts.map((rollout, i) => (
          <li key={i} class={rollout.wellFormed ? "" : "broken"}>
            <h2>
              Rollout {i + 1} <span class="reward">reward {shown(rollout.reward)}</span>{" "}
              <span class={`advantage ${(rollout.advantage ?? 0) >= 0 ? "up" : "down"}`}>
                advantage {signed(rollout.advantage)}
              </span>
            </h2>
            {!rollout.wellFormed && (
              <p class="warn">broken format{rollout.problem === null ? "" : `: ${rollout.problem}`}</p>
            )}
            <MarkedText rollout={rollout} cues={cues} mode={mode} />
            <p class="soft small">
              {rollout.numTokens} tokens{rollout.truncated ? ", cut off by the limit" : ""}
            </p>
            <Rewards rewards={rollout.rewards} weights={weights} />
            <Meetings rollout={rollout} cues={cues} />
          </li>
        ))}
      </ul>
    </article>
  );
}

function signed(value: number | null): string {
  return value === null ? "-" : `${value >= 0 ? "+" : ""}${shown(value)}`;
}

/** The clip's cues, and how many of the group's rollouts speak of each. */
function Cues({ cues, rollouts }: { readonly cues: readonly CueView[]; readonly rollouts: readonly RolloutView[] }) {
  if (cues.length === 0) return null;
  const met = (c: number) => rollouts.filter(({ clauses }) => clauses.some(({ cue }) => cue === c)).length;
  return (
    <ul class="cues">
      {cues.map(({ kind, text }, c) => (
        <li key={c} class={`chip ${kind}`}>
          {text}
          {kind !== "emotion" && (
            <span class="soft">
              {" "}
              {met(c)}/{rollouts.length}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

/** Links to the same clip at other steps. */
function Others({ others, line }: Pick<GroupDetail, "others"> & { readonly line: number }) {
  if (others.length < 2) return null;
  const at = others.findIndex((one) => one.line === line);
  const link = (one: (typeof others)[number] | undefined, title: string) =>
    one === undefined ? null : (
      <button type="button" class="quiet" onClick={() => choose({ line: String(one.line) })}>
        {title}: step {one.step} ({shown(one.mean)})
      </button>
    );
  return (
    <p class="others">
      Seen {others.length} times. {at > 0 && link(others[0], "first")} {link(others[at - 1], "before")}{" "}
      {link(others[at + 1], "after")} {at < others.length - 1 && link(others.at(-1), "last")}
    </p>
  );
}

/** Which clause met which cue, as a table: what a pointer sees in the text, for everybody. */
function Meetings({ rollout, cues }: { readonly rollout: RolloutView; readonly cues: readonly CueView[] }) {
  if (rollout.clauses.length === 0) return null;
  return (
    <details>
      <summary>Clauses and cues</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">clause</th>
            <th scope="col">cue</th>
            <th scope="col">cosine</th>
          </tr>
        </thead>
        <tbody>
          {rollout.clauses.map((clause, k) => {
            const { cue, similarity } = clause.cue >= 0 ? clause : (clause.nearest ?? { cue: -1, similarity: 0 });
            return (
              <tr key={k} class={clause.cue >= 0 ? "" : "soft"}>
                <td>{clause.text}</td>
                <td class={cue >= 0 ? cues[cue]?.kind : ""}>
                  {cue >= 0 ? (cues[cue]?.text ?? `cue ${cue + 1}`) : "none"}
                  {clause.cue < 0 && cue >= 0 && " (nearest, below delta or a conclusion)"}
                </td>
                <td>{cue >= 0 ? similarity.toFixed(2) : "-"}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </details>
  );
}
