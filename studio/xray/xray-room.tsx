// The room of the X-ray: a clip, what is done to it, and one to three models that say what they see and hear then.
import { useState } from "preact/hooks";
import type { GroupDetail, ModelList, RunList, SampleList, SampleView } from "../../src/serve/studio/api.ts";
import { type Address, choose, go } from "../address.ts";
import { shown } from "../numbers.ts";
import { Clip } from "../rollouts/clip.tsx";
import { Problem } from "../runs/runs-room.tsx";
import { useAsked } from "../server.ts";
import { PlayedChoice, playsModel, usePlayed } from "./as-model.tsx";
import { Brush, type Tool } from "./brush.tsx";
import {
  bandText,
  changeOf,
  dialText,
  faintNats,
  grid,
  paintText,
  parseBand,
  parseDial,
  parsePaint,
} from "./change.ts";
import { Dials } from "./dials.tsx";
import { Drop } from "./drop.tsx";
import { BandDials, Tools } from "./extent.tsx";
import { ModelView } from "./model-view.tsx";

export function XrayRoom({ address }: { readonly address: Address }) {
  const { value: list, problem } = useAsked<RunList>("/api/runs");
  const { value: known, problem: modelProblem } = useAsked<ModelList>("/api/models");
  if (problem !== null || modelProblem !== null) return <Problem text={problem ?? modelProblem!} />;
  if (list === null || known === null) return <p class="soft pad">Reading the runs ...</p>;
  if (known.models.length === 0)
    return <p class="soft pad">No model here yet: runs write one when they end (RUN/model).</p>;
  const runs = list.runs.filter(({ shape }) => shape === "train" || shape === "sft");
  const id =
    runs.find((run) => run.id === address.id)?.id ?? runs.find(({ hasRollouts }) => hasRollouts)?.id ?? runs[0]?.id;
  if (id === undefined) return <p class="soft pad">No run here names data with clips.</p>;
  return <Bench key={id} id={id} address={address} runs={runs} known={known} />;
}

interface BenchProps {
  readonly id: string;
  readonly address: Address;
  readonly runs: RunList["runs"];
  readonly known: ModelList;
}

function Bench({ id, address, runs, known }: BenchProps) {
  const { choices } = address;
  const { value: samples, problem } = useAsked<SampleList>(
    `/api/runs/${id}/samples?search=${encodeURIComponent(choices.search ?? "")}&limit=100`,
  );
  const [map, setMap] = useState<readonly number[] | null>(null);
  const [moment, setMoment] = useState(0);
  const sample = choices.sample ?? samples?.ids[0] ?? "";
  const models = chosenModels(known, choices.models ?? "", runs.find((run) => run.id === id)?.name ?? "");
  const video = parseDial(choices.video ?? "", "grey");
  const audio = parseDial(choices.audio ?? "", "quiet");
  const swap = choices.swap ?? "";
  const painted = parsePaint(choices.paint ?? "");
  const band = parseBand(choices.band ?? "");
  const [tool, setTool] = useState<Tool>("box");
  const change = changeOf(video, audio, swap, { painted, band });
  const isModel = models[0] !== undefined && playsModel(choices.play ?? "", change);
  const question = isModel && sample !== "" ? { model: models[0]!.id, run: id, sample, change } : null;
  const { sample: played, problem: playProblem, isComing } = usePlayed(shownSample(id, sample), question);
  const withDose = { ...video, dose: video.dose === 0 ? 100 : video.dose };
  const set = (more: Readonly<Record<string, string>>) => choose(more, true);
  const toggle = (model: string) => {
    const ids = models.map((one) => one.id);
    const next = ids.includes(model) ? ids.filter((one) => one !== model) : [...ids, model].slice(-known.maxModels);
    choose({ models: next.length === 0 ? "none" : next.join(",") });
  };
  return (
    <div class="room xray">
      <aside aria-label="Clip and models">
        <label class="field">
          <span>Data of run</span>
          <select value={id} onChange={(event) => go({ room: "xray", id: event.currentTarget.value, choices: {} })}>
            {runs.map((run) => (
              <option key={run.id} value={run.id}>
                {run.name}
              </option>
            ))}
          </select>
        </label>
        {problem !== null && <Problem text={problem} />}
        <Clips
          title="Clip"
          name="sample"
          value={sample}
          samples={samples}
          onChoose={(one) => choose({ sample: one })}
        />
        <Drop onClip={(clip) => choose({ sample: clip.id })} />
        <Clips
          title="Sound of"
          name="swap"
          value={swap}
          samples={samples}
          onChoose={(one) => choose({ swap: one })}
          standard="the clip itself"
        />
        <fieldset>
          <legend>Models (at most {known.maxModels})</legend>
          {known.models.map((model) => (
            <label key={model.id} class="check">
              <input
                type="checkbox"
                checked={models.some((one) => one.id === model.id)}
                onChange={() => toggle(model.id)}
              />{" "}
              {model.name}
            </label>
          ))}
        </fieldset>
        <Dials
          title="Picture"
          kinds={known.kinds.video}
          dial={video}
          onDial={(dial) => set({ video: dialText(dial) })}
          hasBox
        >
          <Tools tool={tool} numPainted={painted.size} onTool={setTool} onClear={() => set({ paint: "" })} />
        </Dials>
        <Dials
          title="Sound"
          kinds={known.kinds.audio}
          dial={audio}
          onDial={(dial) => set({ audio: dialText(dial) })}
          hasBox={false}
        >
          <BandDials band={band} onBand={(next) => set({ band: bandText(next) })} />
        </Dials>
        <button type="button" onClick={() => choose({ video: "", audio: "", swap: "", paint: "", band: "", play: "" })}>
          Undo all changes
        </button>
      </aside>
      <div class="content">
        {sample === "" ? (
          <p class="soft pad">
            {samples === null ? "Reading the data ..." : "The run's data are not there, or have no samples."}
          </p>
        ) : (
          <>
            <div class="clip-head">
              <div class="player-of-two">
                <Clip key={sample} sample={played} problem={playProblem}>
                  <Brush
                    isApplied={isModel}
                    dial={video}
                    tool={tool}
                    onBox={(box) => set({ video: dialText({ ...withDose, box }) })}
                    painted={painted}
                    onPainted={(cells) => set({ video: dialText(withDose), paint: paintText(cells) })}
                    heat={map}
                    moment={moment}
                  />
                </Clip>
                <PlayedChoice
                  model={models[0]}
                  change={change}
                  isModel={isModel}
                  isThere={!isComing && playProblem === null}
                  onChoose={(play) => choose({ play })}
                />
              </div>
              {map === null ? (
                <p class="soft ground">
                  Turn a dose up, or drag over the clip: the models answer anew. Words turn green by how much they
                  depend on what was taken away. Choose an underlined clause to see what it hangs on.
                </p>
              ) : (
                <Ground map={map} moment={moment} onMoment={setMoment} />
              )}
            </div>
            {models.map((model) => (
              <ModelView
                key={`${model.id} ${sample}`}
                model={model}
                run={id}
                sample={sample}
                change={change}
                swap={swap}
                onMap={setMap}
              />
            ))}
            {models.length === 0 && <p class="soft">Choose a model.</p>}
          </>
        )}
      </div>
    </div>
  );
}

interface ClipsProps {
  readonly title: string;
  readonly name: string;
  readonly value: string;
  readonly samples: SampleList | null;
  readonly onChoose: (id: string) => void;
  readonly standard?: string;
}

function Clips({ title, name, value, samples, onChoose, standard }: ClipsProps) {
  const ids = samples?.ids ?? [];
  return (
    <label class="field">
      <span>{title}</span>
      <input
        id={name}
        list={`${name}-list`}
        value={value}
        placeholder={standard}
        onChange={(event) => onChoose(event.currentTarget.value)}
      />
      <datalist id={`${name}-list`}>
        {ids.map((id) => (
          <option key={id} value={id} />
        ))}
      </datalist>
    </label>
  );
}

/** What a clause hangs on: which moment the map over the clip shows, and the curve over the sound. */
function Ground({
  map,
  moment,
  onMoment,
}: {
  readonly map: readonly number[];
  readonly moment: number;
  readonly onMoment: (moment: number) => void;
}) {
  const sound = map.slice(-grid.pieces);
  const largest = Math.max(...map);
  const full = Math.max(largest, faintNats);
  return (
    <div class="ground">
      <label class="field">
        <span>
          picture: part {moment + 1} of {grid.moments} of the clip
        </span>
        <input
          type="range"
          min="0"
          max={grid.moments - 1}
          step="1"
          value={moment}
          onInput={(event) => onMoment(Number(event.currentTarget.value))}
        />
      </label>
      <div
        class="sound"
        role="img"
        aria-label={`nats when a piece of the sound is silent: ${sound.map((nats) => nats.toFixed(2)).join(", ")}`}
      >
        {sound.map((nats, i) => (
          <i key={i} style={{ height: `${(100 * nats) / full}%` }} title={`${nats.toFixed(3)} nats`} />
        ))}
      </div>
      <p class="soft small">
        sound: what the clause loses when a sixteenth of it is silent; strongest anywhere {shown(largest)} nats
        {largest < faintNats && ": no single place matters to it, the rest of the clip says the same"}
      </p>
    </div>
  );
}

function shownSample(run: string, id: string): SampleView {
  const name = encodeURIComponent(id);
  const path = id.startsWith("dropped-") ? `/api/xray/clips/${name}` : `/api/runs/${run}/clips/${name}/media`;
  return { id, subtitle: "", labels: [], reasoning: "", cues: [], media: { path, kind: "video" }, sound: null };
}

/** Those of the address; else that of the run itself. */
function chosenModels(known: ModelList, text: string, run: string): ModelList["models"] {
  if (text === "none") return [];
  const wanted = text.split(",");
  const named = known.models.filter(({ id }) => wanted.includes(id)).slice(0, known.maxModels);
  if (named.length > 0) return named;
  return [known.models.find(({ name }) => name.startsWith(`${run}/`)) ?? known.models[0]!];
}

/** The address of a group's clip under the X-ray. */
export function xrayLink(run: string, { entry }: Pick<GroupDetail, "entry">): string {
  return `#/xray/${run}?sample=${encodeURIComponent(entry.sample)}`;
}
