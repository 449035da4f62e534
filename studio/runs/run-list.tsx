// The list of runs: which are drawn, how far each is, what is odd about it.
import type { RunSummary } from "../../src/serve/studio/api.ts";
import { ago, shown } from "../numbers.ts";
import { lineStyle } from "./colors.ts";

export interface RunListProps {
  readonly runs: readonly RunSummary[];
  readonly chosen: readonly string[];
  readonly onToggle: (id: string) => void;
}

const words = { running: "running", finished: "finished", stopped: "stopped", unknown: "" } as const;

export function RunListView({ runs, chosen, onToggle }: RunListProps) {
  return (
    <ul class="run-list">
      {runs.map((run) => {
        const at = chosen.indexOf(run.id);
        return (
          <li key={run.id} class={at >= 0 ? "chosen" : ""}>
            <label>
              <input type="checkbox" checked={at >= 0} onChange={() => onToggle(run.id)} />
              <i class="swatch" style={{ background: at >= 0 ? lineStyle(at).color : "transparent" }} />
              <span class="run-name">{run.name}</span>
            </label>
            <p class="run-facts">
              <span class="tag">{run.preset ?? run.shape}</span>
              {words[run.state] !== "" && <span class={`state ${run.state}`}>{words[run.state]}</span>}
              {run.numSteps !== null && (
                <span>
                  {run.numSteps}
                  {run.wantedSteps === null ? "" : `/${run.wantedSteps}`} steps
                </span>
              )}
              <span>{headline(run)}</span>
              <span class="soft">{ago(run.changedAt)}</span>
            </p>
            {run.numWarnings > 0 && (
              <p class="warn">{run.numWarnings === 1 ? "1 warning" : `${run.numWarnings} warnings`}</p>
            )}
            {run.problems.map((problem) => (
              <p key={problem} class="warn">
                {problem}
              </p>
            ))}
            {run.hasRollouts && (
              <a class="small" href={`#/rollouts/${run.id}`}>
                rollouts<span class="hidden"> of {run.name}</span>
              </a>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function headline({ last }: RunSummary): string {
  if (typeof last.reward === "number") return `reward ${shown(last.reward)}`;
  return typeof last.loss === "number" ? `loss ${shown(last.loss)}` : "";
}
