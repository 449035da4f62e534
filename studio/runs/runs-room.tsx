// The room of runs: the list beside their curves, step times, warnings and settings. What is drawn stands in the address.
import { useEffect, useMemo, useState } from "preact/hooks";
import type { RunDetail, RunList, RunSummary } from "../../src/serve/studio/api.ts";
import { type Address, choose } from "../address.ts";
import { useKeys } from "../keys.ts";
import { ask, useAsked, useChanges } from "../server.ts";
import { Chart } from "./chart.tsx";
import { lineStyle, maxShown } from "./colors.ts";
import { Control } from "./control.tsx";
import { Differences } from "./differences.tsx";
import { foundPanels, headlinePanels, tokensPerSecond } from "./panels.ts";
import { RunListView } from "./run-list.tsx";
import { useCurves } from "./series.ts";
import { StepTime } from "./step-time.tsx";

const maxPanels = 48;
const shownAtFirst = 3;

export function RunsRoom({ address }: { readonly address: Address }) {
  const [version, setVersion] = useState(0);
  useChanges(({ list, runs }) => {
    if (list || Object.keys(runs).length > 0) setVersion((before) => before + 1);
  });
  const { value: list, problem } = useAsked<RunList>("/api/runs", version);
  const { show = "", smooth = "0.6", log = "", find = "", search = "" } = address.choices;
  useKeys({ "/": () => document.getElementById("find")?.focus() });
  if (problem !== null) return <Problem text={problem} />;
  if (list === null) return <p class="soft pad">Reading the runs ...</p>;
  if (list.runs.length === 0) return <NoRuns />;
  const chosen = chosenRuns(list.runs, show, address.id);
  const toggle = (id: string) => {
    const next = chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id].slice(-maxShown);
    choose({ show: next.length === 0 ? "none" : next.join(",") });
  };
  const listed = list.runs.filter(({ name, preset }) =>
    `${name} ${preset ?? ""}`.toLowerCase().includes(search.toLowerCase()),
  );
  return (
    <div class="room">
      <aside aria-label="Runs">
        <label class="field">
          <span>
            Runs ({list.runs.length}
            {list.isCut ? ", and more that are not shown" : ""})
          </span>
          <input
            type="search"
            placeholder="name or preset"
            value={search}
            onInput={(event) => choose({ search: event.currentTarget.value }, true)}
          />
        </label>
        <RunListView runs={listed} chosen={chosen} onToggle={toggle} />
      </aside>
      <div class="content">
        <div class="tools">
          <label class="field">
            <span>Smoothing {smooth}</span>
            <input
              type="range"
              min="0"
              max="0.98"
              step="0.02"
              value={smooth}
              onInput={(event) => choose({ smooth: event.currentTarget.value }, true)}
            />
          </label>
          <label class="field">
            <span>Find a number</span>
            <input
              id="find"
              type="search"
              placeholder="rewards, timing, eval"
              value={find}
              onInput={(event) => choose({ find: event.currentTarget.value }, true)}
            />
          </label>
          <label class="check">
            <input type="checkbox" checked={log === "1"} onChange={() => choose({ log: log === "1" ? "" : "1" })} />{" "}
            logarithmic
          </label>
        </div>
        <Shown
          list={list}
          chosen={chosen}
          smoothing={Number(smooth)}
          isLog={log === "1"}
          find={find}
          version={version}
        />
      </div>
    </div>
  );
}

interface ShownProps {
  readonly list: RunList;
  readonly chosen: readonly string[];
  readonly smoothing: number;
  readonly isLog: boolean;
  readonly find: string;
  readonly version: number;
}

function Shown({ list, chosen, smoothing, isLog, find, version }: ShownProps) {
  const details = useDetails(chosen, version);
  const names = [...new Set(details.flatMap(({ metrics }) => metrics))];
  const hasTokens = names.includes("num_tokens") && names.includes("step_time");
  const all = hasTokens ? [...names, tokensPerSecond] : names;
  const panels = (find === "" ? headlinePanels(all) : foundPanels(all, find)).slice(0, maxPanels);
  const needed = [
    ...panels.map(({ metric }) => metric),
    ...names.filter((name) => /^(timing_s\/|step_time$|num_tokens$)/.test(name)),
  ];
  const metrics = useMemo(() => [...new Set(needed)], [needed.join()]);
  const curves = useCurves(
    details.map(({ summary }) => summary.id),
    metrics,
  );
  const runs = details.map(({ summary }) => ({
    summary,
    curve: curves.get(summary.id),
    ...lineStyle(chosen.indexOf(summary.id)),
  }));
  const lines = (metric: string) =>
    runs.flatMap(({ summary, curve, color, dash }) =>
      curve?.values[metric] === undefined
        ? []
        : [{ name: summary.name, color, dash, steps: curve.steps, values: curve.values[metric] }],
    );
  if (chosen.length === 0) return <p class="soft pad">Choose a run in the list to see its curves.</p>;
  return (
    <>
      {list.hasControl && <Control runs={details.map(({ summary }) => summary)} />}
      <Warnings details={details} />
      <div class="charts">
        {panels.map(({ metric, title }) => {
          const drawn = lines(metric);
          return drawn.length === 0 ? null : (
            <Chart key={metric} title={title} lines={drawn} smoothing={smoothing} isLog={isLog} />
          );
        })}
      </div>
      {details.length > 0 && panels.length === 0 && (
        <p class="soft">
          {find === "" ? "These runs have no numbers yet." : `No number of these runs has "${find}" in its name.`}
        </p>
      )}
      <StepTime
        runs={runs.flatMap(({ summary, curve }) => (curve === undefined ? [] : [{ name: summary.name, curve }]))}
      />
      <Differences details={details} />
      <Logs details={details} />
    </>
  );
}

/** The chosen runs' details, in the order of choice. */
function useDetails(chosen: readonly string[], version: number): readonly RunDetail[] {
  const [details, setDetails] = useState<readonly RunDetail[]>([]);
  useEffect(() => {
    const gone = new AbortController();
    Promise.allSettled(chosen.map((id) => ask<RunDetail>(`/api/runs/${id}`, gone.signal))).then((asked) => {
      if (!gone.signal.aborted) setDetails(asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
    });
    return () => gone.abort();
  }, [chosen.join(), version]);
  return details;
}

function Warnings({ details }: { readonly details: readonly RunDetail[] }) {
  const all = details.flatMap(({ summary, warnings }) =>
    warnings.map((warning) => ({ run: summary.name, ...warning })),
  );
  if (all.length === 0) return null;
  return (
    <section class="warnings" aria-label="Warnings">
      {all.map(({ run, step, name, line }) => (
        <p key={`${run} ${name}`}>
          <strong>
            {run}
            {step !== null && `, step ${step}`}
          </strong>{" "}
          {line}
        </p>
      ))}
    </section>
  );
}

/** What in the logs is no row: half written, broken. */
function Logs({ details }: { readonly details: readonly RunDetail[] }) {
  const lines = details.flatMap(({ summary, logs }) =>
    logs.flatMap(({ name, halfWritten, numBroken, firstBroken }) => [
      ...(halfWritten > 0 ? [`${summary.name}/${name}: a last line of ${halfWritten} bytes without its end`] : []),
      ...(numBroken > 0 ? [`${summary.name}/${name}: ${numBroken} lines that are no rows (${firstBroken})`] : []),
    ]),
  );
  if (lines.length === 0) return null;
  return (
    <section class="warnings" aria-label="Logs">
      {lines.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </section>
  );
}

function chosenRuns(runs: readonly RunSummary[], show: string, id: string): string[] {
  if (show === "none") return [];
  const known = new Set(runs.map((run) => run.id));
  const wanted = (show === "" ? id : show).split(",").filter((one) => known.has(one));
  if (wanted.length > 0) return [...new Set(wanted)].slice(0, maxShown);
  const learning = runs.filter(({ numSteps }) => numSteps !== null);
  const running = learning.filter(({ state }) => state === "running");
  return (running.length > 0 ? running.slice(0, shownAtFirst) : learning.slice(0, 1)).map((run) => run.id);
}

export function Problem({ text }: { readonly text: string }) {
  return (
    <p class="problem" role="alert">
      {text}
    </p>
  );
}

function NoRuns() {
  return (
    <div class="pad">
      <p>There is no run below this folder yet. It appears here once one begins:</p>
      <pre>npm run demo</pre>
    </div>
  );
}
