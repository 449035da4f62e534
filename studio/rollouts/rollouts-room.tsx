// The room of rollouts: the list of groups, in an order that shows what is wrong first, and the group that is looked at.
import { useEffect, useRef, useState } from "preact/hooks";
import type { GroupEntry, GroupPage, RolloutOrder, RunDetail, RunList } from "../../src/serve/studio/api.ts";
import { type Address, choose, go } from "../address.ts";
import { askAhead } from "../ahead.ts";
import { useKeys } from "../keys.ts";
import { shown } from "../numbers.ts";
import { Problem } from "../runs/runs-room.tsx";
import { ask, useAsked, useChanges, useLogVersion } from "../server.ts";
import { GroupView, groupPath, modeOf, nextMode } from "./group-view.tsx";

const pageSize = 20;

const orders: readonly (readonly [RolloutOrder, string])[] = [
  ["newest", "newest first"],
  ["oldest", "oldest first"],
  ["lowest", "lowest reward first"],
  ["broken", "broken format"],
  ["unsupported", "unsupported claims"],
  ["spread", "largest spread of rewards"],
  ["change", "biggest change since a step"],
];

export function RolloutsRoom({ address }: { readonly address: Address }) {
  const [version, setVersion] = useState(0);
  useChanges(({ list }) => {
    if (list) setVersion((before) => before + 1);
  });
  const { value: list, problem } = useAsked<RunList>("/api/runs", version);
  if (problem !== null) return <Problem text={problem} />;
  if (list === null) return <p class="soft pad">Reading the runs ...</p>;
  const runs = list.runs.filter(({ hasRollouts }) => hasRollouts);
  if (runs.length === 0) return <p class="soft pad">No run here has rollouts: oppo train and oppo demo write them.</p>;
  const run = runs.find(({ id }) => id === address.id);
  if (address.id !== "" && list.runs.every(({ id }) => id !== address.id))
    return <Problem text="This run is not there any more." />;
  const id = run?.id ?? runs[0]!.id;
  return <Groups key={id} id={id} address={address} runs={runs} />;
}

interface GroupsProps {
  readonly id: string;
  readonly address: Address;
  readonly runs: RunList["runs"];
}

function Groups({ id, address, runs }: GroupsProps) {
  const { order = "newest", since = "", step = "", sample = "", line = "", mode = "" } = address.choices;
  const offset = Number(address.choices.offset ?? 0) || 0;
  const version = useLogVersion(id, "rollouts.jsonl");
  const pagePath = (from: number) => {
    const query = new URLSearchParams({ order, offset: String(from), limit: String(pageSize) });
    for (const [name, value] of Object.entries({ since, step, sample })) if (value !== "") query.set(name, value);
    return `/api/runs/${id}/rollouts?${query}`;
  };
  const { value: page, problem } = useAsked<GroupPage>(pagePath(offset), version);
  const { value: run } = useAsked<RunDetail>(`/api/runs/${id}`);
  const [isLast, setLast] = useState(false);
  const groups = page?.groups ?? [];
  const at = groups.findIndex((group) => String(group.line) === line);
  // A page that was turned to and is not there yet has no groups to go to.
  const isOther = page !== null && page.offset !== offset;
  const open = (group: GroupEntry, isHeld = false) =>
    go({ room: "rollouts", id, choices: { ...address.choices, line: String(group.line) } }, isHeld);
  const turn = (by: number, isHeld = false, toLast = false) => {
    const next = offset + by * pageSize;
    if (next < 0 || next >= (page?.total ?? 0)) return;
    setLast(toLast);
    choose({ offset: String(next), line: "" }, isHeld);
  };
  const move = (by: number, isHeld: boolean) => {
    if (isOther) return;
    const next = groups[at + by];
    if (next !== undefined) open(next, isHeld);
    else turn(Math.sign(by), isHeld, by < 0);
  };
  // Of pages that a held key passes, what has come is shown; until something has, what was there stays.
  const before = useRef({ offset, line });
  const isStill = isOther && page.offset === before.current.offset;
  const first = String((isLast ? groups.at(-1) : groups[0])?.line ?? "");
  const shownLine = line !== "" ? line : isStill ? before.current.line : first;
  before.current = { offset: isOther ? before.current.offset : offset, line: shownLine };
  useEffect(() => {
    if (line === "" && !isOther && shownLine !== "") choose({ line: shownLine }, true);
  }, [line, shownLine, isOther]);
  useEffect(() => {
    if (page === null || isOther || shownLine === "") return;
    const wanted = (group: GroupEntry | undefined) =>
      group !== undefined && askAhead(ask, { path: groupPath(id, String(group.line)) });
    const here = groups.findIndex((group) => String(group.line) === shownLine);
    for (const by of [1, -1]) wanted(groups[here + by]);
    for (const by of [1, -1]) {
      const next = offset + by * pageSize;
      if (next < 0 || next >= page.total) continue;
      const then = (there: GroupPage) => wanted(by > 0 ? there.groups[0] : there.groups.at(-1));
      askAhead<GroupPage>(ask, { path: pagePath(next), version, then });
    }
  }, [page, shownLine]);
  useKeys({
    ...{ j: (isHeld) => move(1, isHeld), ArrowRight: (isHeld) => move(1, isHeld) },
    ...{ k: (isHeld) => move(-1, isHeld), ArrowLeft: (isHeld) => move(-1, isHeld) },
    ...{ n: (isHeld) => turn(1, isHeld), p: (isHeld) => turn(-1, isHeld) },
    m: () => choose({ mode: nextMode(modeOf(mode)) }),
    "/": () => document.getElementById("sample")?.focus(),
  });
  const set = (choices: Readonly<Record<string, string>>) => choose({ ...choices, offset: "", line: "" });
  return (
    <div class="room">
      <aside aria-label="Groups of rollouts">
        <label class="field">
          <span>Run</span>
          <select
            value={id}
            onChange={(event) => go({ room: "rollouts", id: event.currentTarget.value, choices: { order, mode } })}
          >
            {runs.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>Show</span>
          <select value={order} onChange={(event) => set({ order: event.currentTarget.value })}>
            {orders.map(([name, title]) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <div class="pair">
          <Whole title="Since step" value={since} onValue={(value) => set({ since: value })} />
          <Whole title="Step" value={step} onValue={(value) => set({ step: value })} />
        </div>
        <label class="field">
          <span>Clip</span>
          <input
            id="sample"
            type="search"
            placeholder="part of its name"
            value={sample}
            onInput={(event) => set({ sample: event.currentTarget.value })}
          />
        </label>
        {problem !== null && <Problem text={problem} />}
        {page !== null && <Counts page={page} />}
        <ol class="group-list">
          {groups.map((group) => (
            <li key={group.line}>
              <button
                type="button"
                class={String(group.line) === shownLine ? "chosen" : ""}
                aria-current={String(group.line) === shownLine ? "true" : undefined}
                onClick={() => open(group)}
              >
                <span class="group-name">{group.sample}</span>
                <span class="soft">step {group.step}</span>
                <Spread group={group} />
                <span>{marks(group)}</span>
              </button>
            </li>
          ))}
        </ol>
        {page !== null && page.total > pageSize && (
          <div class="pages">
            <button type="button" onClick={() => turn(-1)} disabled={offset === 0}>
              Previous
            </button>
            <span>
              {offset + 1} to {Math.min(offset + pageSize, page.total)} of {page.total.toLocaleString("en-US")}
            </span>
            <button type="button" onClick={() => turn(1)} disabled={offset + pageSize >= page.total}>
              Next
            </button>
          </div>
        )}
      </aside>
      <div class="content">
        {shownLine !== "" && <GroupView run={id} line={shownLine} detail={run} mode={modeOf(mode)} />}
        {page !== null && page.total === 0 && (
          <p class="soft pad">{page.isWhole ? "No group is like that." : "Still looking through the log ..."}</p>
        )}
      </div>
    </div>
  );
}

function Whole({
  title,
  value,
  onValue,
}: {
  readonly title: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
}) {
  return (
    <label class="field">
      <span>{title}</span>
      <input type="number" min="0" step="1" value={value} onChange={(event) => onValue(event.currentTarget.value)} />
    </label>
  );
}

function Counts({ page: { numGroups, numRollouts, log, isWhole } }: { readonly page: GroupPage }) {
  return (
    <p class="soft small">
      {numRollouts.toLocaleString("en-US")} rollouts in {numGroups.toLocaleString("en-US")} groups
      {!isWhole && ", and still reading"}
      {log.halfWritten > 0 &&
        isWhole &&
        `; a last line of ${log.halfWritten.toLocaleString("en-US")} bytes is being written`}
      {log.numBroken > 0 && `; ${log.numBroken} lines are no groups (${log.firstBroken})`}
    </p>
  );
}

/** The group's rewards on a scale from 0 to the largest there may be: a line from the lowest to the highest, and the mean. */
function Spread({ group: { mean, lowest, highest } }: { readonly group: GroupEntry }) {
  return (
    <span class="spread" title={`rewards from ${shown(lowest)} to ${shown(highest)}, mean ${shown(mean)}`}>
      {mean.toFixed(2)}
    </span>
  );
}

function marks({ numBroken, numUnsupported, change }: GroupEntry): string {
  const parts = [
    ...(change === undefined ? [] : [`${change >= 0 ? "+" : ""}${shown(change)} since`]),
    ...(numBroken > 0 ? [`${numBroken} broken`] : []),
    ...(numUnsupported > 0 ? [`${numUnsupported} unsupported`] : []),
  ];
  return parts.join(", ");
}
