// What stands above the gallery and above a clip: which corpus, who one is, in which order, and what comes out.
import { useEffect, useRef } from "preact/hooks";
import type { CorpusDetail, CorpusList, SamplePage } from "../../src/serve/studio/data/data-api.ts";
import { choose } from "../address.ts";

interface ToolsProps {
  readonly id: string;
  readonly list: CorpusList;
  readonly detail: CorpusDetail | null;
  readonly by: string;
  readonly other: string;
  readonly order: string;
  readonly search: string;
  readonly others: string;
  readonly isReviewing: boolean;
  /** Where the clip stands in the order; null where it does not. */
  readonly place: { readonly at: number; readonly total: number } | null;
  readonly onName: (name: string) => void;
  readonly onCorpus: (id: string) => void;
  readonly onUndo: () => void;
  readonly onMove: (step: number) => void;
}

export function Tools(props: ToolsProps) {
  const { isReviewing, place, by, others, onUndo, onMove } = props;
  if (!isReviewing) return <GalleryTools {...props} />;
  return (
    <div class="tools review-tools">
      <button type="button" onClick={() => choose({ sample: "" })} title="key g">
        Gallery
      </button>
      <button type="button" onClick={() => onMove(-1)} disabled={place === null || place.at === 0} title="key k">
        Previous
      </button>
      <button type="button" onClick={() => onMove(1)} title="key j">
        Next
      </button>
      {place !== null && (
        <span class="soft">
          {place.at + 1} of {place.total.toLocaleString("en-US")}
        </span>
      )}
      <button type="button" onClick={onUndo} disabled={by === ""} title="key u">
        Undo
      </button>
      <Name {...props} />
      <label class="check small">
        <input
          type="checkbox"
          checked={others === "always"}
          onChange={(event) => choose({ others: event.currentTarget.checked ? "always" : "" }, true)}
        />
        show others before I decide
      </label>
    </div>
  );
}

function GalleryTools(props: ToolsProps) {
  const { id, list, detail, by, other, order, search, onCorpus } = props;
  const names = detail?.annotators.map(({ name }) => name) ?? [];
  return (
    <div class="tools">
      <label class="field">
        <span>Corpus</span>
        <select value={id} onChange={(event) => onCorpus(event.currentTarget.value)}>
          {list.corpora.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
              {one.kind === "mep" ? " (MEP set)" : ""}
            </option>
          ))}
        </select>
      </label>
      <Name {...props} />
      <label class="field">
        <span>Compare with</span>
        <select value={other} onChange={(event) => choose({ with: event.currentTarget.value }, true)}>
          {names.filter((name) => name !== by).length === 0 && <option value="">nobody yet</option>}
          {names
            .filter((name) => name !== by)
            .map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
        </select>
      </label>
      <label class="field">
        <span>Order</span>
        <select value={order} onChange={(event) => choose({ order: event.currentTarget.value })}>
          <option value="doubtful">disagreements and doubts first</option>
          <option value="corpus">as in the corpus</option>
        </select>
      </label>
      <label class="field">
        <span>Clip</span>
        <input
          id="search"
          type="search"
          placeholder="part of its name"
          value={search}
          onInput={(event) => choose({ search: event.currentTarget.value }, true)}
        />
      </label>
      <p class="exports">
        <a href={`/api/corpora/${id}/export`} download>
          Export all
        </a>
        {by !== "" && (
          <a href={`/api/corpora/${id}/export?${new URLSearchParams({ by })}`} download>
            Export {by}'s
          </a>
        )}
      </p>
    </div>
  );
}

function Name({ by, onName }: Pick<ToolsProps, "by" | "onName">) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    field.current!.value = by;
  }, [by]);
  return (
    <label class="field name">
      <span>You are</span>
      <input
        id="annotator"
        ref={field}
        maxLength={60}
        placeholder="your name"
        autocomplete="off"
        onChange={(event) => onName(event.currentTarget.value.trim())}
        onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
      />
    </label>
  );
}

const whole = (value: number) => value.toLocaleString("en-US");

function workOf({ name, numDecisions, numSamples }: CorpusDetail["annotators"][number]): string {
  return `${name} ${whole(numDecisions)} in ${whole(numSamples)} clips`;
}

interface CorpusFactsProps {
  readonly detail: CorpusDetail;
  readonly counts: SamplePage["counts"] | null;
}

export function CorpusFacts({ detail, counts }: CorpusFactsProps) {
  const { numSamples, numCues, corpus, journal, annotators, summary, isWhole } = detail;
  return (
    <div class="small">
      <p class="soft">
        {whole(numSamples)} samples, {whole(numCues)} cues{!isWhole && ", and still reading"}
        {counts !== null &&
          `: ${whole(counts.disagreed)} with disagreement, ${whole(counts.doubtful)} doubtful, ${whole(counts.open)} to review, ${whole(counts.bare)} without cues, ${whole(counts.done)} reviewed`}
        .
      </p>
      <p class="soft">
        {whole(journal.numRows)} lines of decisions in{" "}
        <span title={summary.journal}>{summary.journal.split("/").at(-1)}</span>
        {annotators.length > 0 && `: ${annotators.map(workOf).join(", ")}`}.
      </p>
      {journal.numRows > 0 && (
        <p class="soft">
          {summary.kind === "mep"
            ? "The set's questions and its hash (mep.json) stay as they were made: export, then build another set from the file: "
            : "Nothing learns from decisions by itself: export, put the file beside the corpus, then: "}
          <code>
            {summary.kind === "mep"
              ? "oppo mep build --data EXPORTED.jsonl --out NEW-SET"
              : "oppo train --data EXPORTED.jsonl"}
          </code>
        </p>
      )}
      {corpus.numBroken > 0 && (
        <p class="warn">
          {whole(corpus.numBroken)} lines of the corpus are no samples and are left out; {corpus.firstBroken}
        </p>
      )}
      {journal.numBroken > 0 && (
        <p class="warn">
          {whole(journal.numBroken)} lines of the journal are no decisions and do not count; {journal.firstBroken}
        </p>
      )}
      {journal.halfWritten > 0 && (
        <p class="warn">
          The journal ends in half a line of {whole(journal.halfWritten)} bytes, which does not count: its writer was
          stopped.
        </p>
      )}
    </div>
  );
}
