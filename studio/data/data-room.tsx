// The room of data: a corpus as a gallery, what is doubtful first, and one clip after another with its cues.
import { useCallback, useEffect, useState } from "preact/hooks";
import type {
  CorpusDetail,
  CorpusList,
  DecisionAnswer,
  ReviewedSampleView,
} from "../../src/serve/studio/data/data-api.ts";
import { type Address, choose, go } from "../address.ts";
import { type Keys, useKeys } from "../keys.ts";
import { Problem } from "../runs/runs-room.tsx";
import { useAsked, useChanges } from "../server.ts";
import { AgreementTable } from "./agreement.tsx";
import { Gallery } from "./gallery.tsx";
import { decide, usePending } from "./pending.ts";
import { Review } from "./review.tsx";
import { useSamples } from "./samples.ts";
import { CorpusFacts, Tools } from "./tools.tsx";

const namePlace = "oppo-studio-annotator";

export function DataRoom({ address }: { readonly address: Address }) {
  const { value: list, problem } = useAsked<CorpusList>("/api/corpora");
  if (problem !== null) return <Problem text={problem} />;
  if (list === null) return <p class="soft pad">Looking for corpora ...</p>;
  const { corpora } = list;
  if (corpora.length === 0) {
    const advice =
      "No corpus here: start the studio with a file of samples or a MEP set, oppo studio corpus/train.jsonl.";
    return <p class="soft pad">{advice}</p>;
  }
  const corpus = corpora.find(({ id }) => id === address.id) ?? corpora[0]!;
  if (address.id !== "" && corpus.id !== address.id) return <Problem text="This corpus is not there any more." />;
  return <Corpus key={corpus.id} id={corpus.id} address={address} list={list} />;
}

interface CorpusProps {
  readonly id: string;
  readonly address: Address;
  readonly list: CorpusList;
}

function Corpus({ id, address, list }: CorpusProps) {
  const { order = "doubtful", search = "", sample = "", others = "" } = address.choices;
  const by = address.choices.by ?? localStorage.getItem(namePlace) ?? "";
  const [version, setVersion] = useState(0);
  const [round, setRound] = useState(0);
  const samples = useSamples(id, new URLSearchParams({ by, order, search, round: String(round) }).toString());
  const { value: plain } = useAsked<CorpusDetail>(`/api/corpora/${id}`, version);
  const other = address.choices.with ?? plain?.annotators.find(({ name }) => name !== by)?.name ?? "";
  const { value: detail, problem } = useAsked<CorpusDetail>(
    `/api/corpora/${id}?${new URLSearchParams({ by, with: other })}`,
    version,
  );
  const shown = useAsked<ReviewedSampleView>(
    sample === "" ? null : `/api/corpora/${id}/sample?${new URLSearchParams({ id: sample, by })}`,
    version,
  );
  const onArrival = useCallback(
    (corpus: string, answer: DecisionAnswer) => {
      if (corpus !== id) return;
      setVersion((before) => before + 1);
      // An undoing leads to where it changed something.
      if (sample !== "" && answer.isUndone && answer.sample !== sample) choose({ sample: answer.sample });
    },
    [id, sample],
  );
  const pending = usePending(onArrival);
  useChanges(({ corpora }) => {
    if (!corpora.includes(id)) return;
    setVersion((before) => before + 1);
    void samples.refresh();
  });
  const current = shown.value?.view.id === sample ? shown.value : null;
  useEffect(() => {
    if (current !== null) samples.put(current.entry);
  }, [current]);
  // A large corpus is read for a while: what is counted of it grows.
  useEffect(() => setVersion((before) => before + 1), [samples.total]);
  const askName = () => {
    const field = document.getElementById("annotator");
    field?.focus();
    field?.scrollIntoView({ block: "center" });
  };
  const at = samples.entries.findIndex((entry) => entry.id === sample);
  const move = (step: number, isHeld = false) => {
    const next = samples.entries[at + step];
    if (at + step >= samples.entries.length - 6) samples.more();
    if (next !== undefined) choose({ sample: next.id }, isHeld);
  };
  const isReviewing = sample !== "";
  useKeys({
    ...(isReviewing ? movesBy(move) : {}),
    ...(isReviewing ? { g: () => choose({ sample: "" }) } : {}),
    u: () => (by === "" ? askName() : decide(id, { by, act: "undo" })),
    o: () => setRound(round + 1),
    w: askName,
    "/": () => document.getElementById("search")?.focus(),
  });
  const rename = (name: string) => {
    localStorage.setItem(namePlace, name);
    choose({ by: name, with: "" }, true);
  };
  return (
    <div class="content data-room">
      <Tools
        {...{ by, other, order, search, others, isReviewing, detail: detail ?? plain, list, id }}
        onName={rename}
        onCorpus={(next) => go({ room: "data", id: next, choices: { by } })}
        onUndo={() => decide(id, { by, act: "undo" })}
        onMove={move}
        place={at < 0 ? null : { at, total: samples.total }}
      />
      <PendingLine pending={pending} />
      {(problem ?? samples.problem) !== null && <Problem text={(problem ?? samples.problem)!} />}
      {isReviewing && shown.problem !== null && <Problem text={shown.problem} />}
      {isReviewing && current !== null && (
        <Review
          key={sample}
          {...{ corpus: id, by, shown: current, pending, isOpen: others === "always", onNameless: askName }}
        />
      )}
      {!isReviewing && (
        <>
          <div class="data-head">
            {detail !== null && <CorpusFacts detail={detail} counts={samples.counts} />}
            {detail?.agreement != null && by !== "" && (
              <AgreementTable {...{ by, other, agreement: detail.agreement }} />
            )}
          </div>
          <Gallery address={{ ...address, id }} samples={samples} />
        </>
      )}
    </div>
  );
}

function movesBy(move: (step: number, isHeld: boolean) => void): Keys {
  const [forth, back] = [1, -1].map((step) => (isHeld: boolean) => move(step, isHeld)) as [Keys[string], Keys[string]];
  return { j: forth, ArrowRight: forth, k: back, ArrowLeft: back };
}

function PendingLine({ pending: { waiting, problem } }: { readonly pending: ReturnType<typeof usePending> }) {
  if (problem === null) return null;
  const kept = `${waiting.length} ${waiting.length === 1 ? "decision is" : "decisions are"} kept in this browser and sent again.`;
  return (
    <p class="warnings" role="alert">
      {problem} {waiting.length > 0 && kept}
    </p>
  );
}
