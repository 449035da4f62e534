// An observer on disk: its numbers as safetensors, its report as JSON, named by a hash of everything that it is made of, so that
// all arms that go out from one cold start share one, and no other towers or clips ever get it.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { CueBank } from "../../bench/cue-bank.ts";
import { cueQuestions } from "../../bench/support/cue-question.ts";
import type { FittedSample } from "../../corpus/clips/fitted-samples.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import { ownKinds } from "../../media/degrade/degrade.ts";
import type { OmniModel } from "../../models/omni-model.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import { keep, openSafetensors, scope, type Tensor, writeSafetensors } from "../../tensor/index.ts";
import { CueReader, learntNames } from "./cue-reader.ts";
import { fitObserver, type ObserverMaterial, type ObserverOptions } from "./fit-observer.ts";
import { Observer, type ObserverReport } from "./observer.ts";

const version = "observer-1";
const modalities = ["video", "audio"] as const;

/** JSON has no NaN: a share of nothing is null. */
const share = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const calibration = z.strictObject({
  accuracy: share,
  calibrationError: share,
  readable: share,
  numQuestions: z.number(),
});
const reader = z.strictObject({
  intact: calibration,
  skill: z.strictObject({ bits: share, standardError: share }),
  kinds: z.record(z.string(), calibration),
  temperature: z.number(),
});
const stored = z.strictObject({
  key: z.string(),
  report: z.strictObject({ video: reader.optional(), audio: reader.optional() }),
});

/**
 * The observer of these towers, this bank and these clips: from the folder, or made and put there.
 * @throws OppoError ERR_OBSERVER_DATA, ERR_OBSERVER_CHANCE, ERR_OBSERVER_FILE
 */
export async function openObserver(
  folder: string,
  model: OmniModel,
  bank: CueBank,
  material: ObserverMaterial<FittedSample>,
  options: ObserverOptions,
): Promise<Observer> {
  const key = observerKey(model, bank, stampedMaterial(material), options);
  return keptObserver(folder, key, bank, options, () => fitObserver(model, bank, material, options));
}

/** The observer of this key: from the folder, or made and put there. @throws OppoError ERR_OBSERVER_FILE */
export async function keptObserver(
  folder: string,
  key: string,
  bank: CueBank,
  options: Pick<ObserverOptions, "attributeOf">,
  make: () => Promise<Observer>,
): Promise<Observer> {
  const known = readObserver(folder, key, bank, options);
  if (known !== null) return known;
  const observer = await make();
  writeObserver(folder, key, observer);
  return observer;
}

/** A sample and what changes when its clip does. */
export interface StampedSample {
  readonly sample: Pick<Sample, "id" | "cues">;
  readonly stamp: readonly (string | number | Uint8Array)[];
}

/** Of the towers' weights, the bank, the clips with their cues, and the seed. */
export function observerKey(
  model: OmniModel,
  bank: CueBank,
  { clips, dev }: ObserverMaterial<StampedSample>,
  { seed, attributeOf }: ObserverOptions,
): string {
  const hash = createHash("sha256").update(JSON.stringify([version, model.fitKey, seed, ownKinds]));
  for (const [name, parameter] of model.parameters()) {
    const part = model.partOf(name);
    if (part !== "audio tower" && part !== "vision tower") continue;
    hash.update(JSON.stringify([name, parameter.dtype, parameter.shape]));
    hash.update(scope(() => parameter.detach().to({ device: "cpu" }).contiguous().view("uint8").toUint8Array()));
  }
  hash.update(JSON.stringify(bank.cues.map((cue) => [cue.kind, cue.text, attributeOf?.(cue) ?? null])));
  for (const { sample, stamp } of [...clips, ...dev]) {
    const isText = (part: string | number | Uint8Array) => !(part instanceof Uint8Array);
    hash.update(JSON.stringify([sample.id, sample.cues, ...stamp.filter(isText)]));
    for (const part of stamp) if (part instanceof Uint8Array) hash.update(part);
  }
  return hash.update(String(clips.length)).digest("hex");
}

/** By what they show. */
export function stampedMaterial({ clips, dev }: ObserverMaterial<FittedSample>): ObserverMaterial<StampedSample> {
  const stamped = ({ sample, clip }: FittedSample): StampedSample => {
    const { height, width, fps, sampleRateHz, frames, waveform } = clip;
    const sound = new Uint8Array(waveform.buffer, waveform.byteOffset, waveform.byteLength);
    return { sample, stamp: [height, width, fps, sampleRateHz, frames, sound] };
  };
  return { clips: clips.map(stamped), dev: dev.map(stamped) };
}

function filesOf(folder: string, key: string): { numbers: string; report: string } {
  const name = join(folder, `observer-${key.slice(0, 16)}`);
  return { numbers: `${name}.safetensors`, report: `${name}.json` };
}

function writeObserver(folder: string, key: string, observer: Observer): void {
  mkdirSync(folder, { recursive: true });
  const files = filesOf(folder, key);
  const numbers = modalities.flatMap((modality) =>
    [...(observer.readers[modality]?.tensors() ?? [])].map(([name, value]): [string, Tensor] => [
      `${modality}.${name}`,
      value,
    ]),
  );
  writeSafetensors(files.numbers, new Map(numbers), { key });
  // Last: an observer is there when its report is.
  replaceFile(files.report, `${JSON.stringify({ key, report: observer.report }, null, 1)}\n`);
}

/** null where there is none. @throws OppoError ERR_OBSERVER_FILE for one that is damaged */
function readObserver(
  folder: string,
  key: string,
  bank: CueBank,
  { attributeOf }: Pick<ObserverOptions, "attributeOf">,
): Observer | null {
  const files = filesOf(folder, key);
  if (!existsSync(files.report)) return null;
  const damaged = (what: string) =>
    new OppoError(
      "ERR_OBSERVER_FILE",
      `${files.report}: expected an observer's report and numbers, got ${what}. Remove the file; it is made again.`,
    );
  let parsed: z.infer<typeof stored>;
  try {
    parsed = stored.parse(JSON.parse(readFileSync(files.report, "utf8")));
  } catch (error) {
    throw damaged((error as Error).message.slice(0, 200));
  }
  if (parsed.key !== key) throw damaged("another key");
  using numbers = openSafetensors(files.numbers);
  if (numbers.metadata.key !== key) throw damaged("numbers of another observer");
  const readers: Partial<Record<(typeof modalities)[number], CueReader>> = {};
  for (const modality of modalities) {
    const own = [...numbers.entries.keys()].filter((name) => name.startsWith(`${modality}.`));
    if (own.length === 0) continue;
    const questions = cueQuestions(bank, modality, attributeOf);
    const tensors = scope(
      () => new Map(own.map((name) => [name.slice(modality.length + 1), keep(numbers.tensor(name).clone())] as const)),
    );
    const isWhole = [...learntNames, "mean", "deviation", "temperature"].every((name) => tensors.has(name));
    const fits = tensors.get("bias")?.shape[0] === questions.length;
    if (!isWhole || !fits) throw damaged("other numbers");
    readers[modality] = new CueReader(questions, tensors);
  }
  return new Observer(bank, readers, parsed.report as ObserverReport);
}
