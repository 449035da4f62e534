// Stopping a run and going on with it: only in a studio that was started with --control.
import { useState } from "preact/hooks";
import type { RunSummary } from "../../src/serve/studio/api.ts";
import { ask } from "../server.ts";

export function Control({ runs }: { readonly runs: readonly RunSummary[] }) {
  const [said, setSaid] = useState("");
  const act = (run: RunSummary, what: "stop" | "start") => {
    setSaid(`${what} ${run.name} ...`);
    ask<{ pid: number }>(`/api/runs/${run.id}/${what}`, undefined, "POST").then(
      ({ pid }) =>
        setSaid(
          what === "stop"
            ? `Process ${pid} was asked to end after its step.`
            : `Process ${pid} goes on with ${run.name}.`,
        ),
      (error: Error) => setSaid(error.message),
    );
  };
  const able = runs.filter(({ state }) => state === "running" || state === "stopped");
  return (
    <section class="tools" aria-label="Control">
      {able.map((run) => (
        <button key={run.id} type="button" onClick={() => act(run, run.state === "running" ? "stop" : "start")}>
          {run.state === "running" ? "Stop" : "Go on with"} {run.name}
        </button>
      ))}
      <p role="status">{said}</p>
    </section>
  );
}
