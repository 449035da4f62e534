// The weights in the engine's process: the model it began with or one that took its place, and adapters over it by name.
import { loadAdapter } from "../../../models/adapt.ts";
import type { AdaptedModel, OmniModel } from "../../../models/omni-model.ts";
import { HttpError } from "../../http/http-error.ts";
import { MediaRows } from "../media/media-rows.ts";
import type { Change } from "../protocol.ts";

/** A model that answers, and what its towers made of media. */
export interface Answering {
  readonly model: OmniModel;
  readonly media: MediaRows;
}

interface Adapted extends Answering {
  readonly model: AdaptedModel;
}

/** Owner of the models and of their media. */
export class WorkerModels implements Disposable {
  readonly #load: (directory: string) => Promise<OmniModel>;
  readonly #mediaCacheBytes: number;
  readonly #adapted = new Map<string, Adapted>();
  #base: Answering;

  /** @param load reads a model's directory as the first one was read */
  constructor(base: OmniModel, mediaCacheBytes: number, load: (directory: string) => Promise<OmniModel>) {
    this.#base = { model: base, media: new MediaRows(base, mediaCacheBytes) };
    this.#mediaCacheBytes = mediaCacheBytes;
    this.#load = load;
  }

  /** @throws HttpError ERR_MODEL_NAME (404): it was unloaded meanwhile */
  of(adapter: string | null): Answering {
    if (adapter === null) return this.#base;
    const found = this.#adapted.get(adapter);
    if (found !== undefined) return found;
    throw new HttpError(
      404,
      "ERR_MODEL_NAME",
      `model: expected an adapter that is loaded, got "${adapter.slice(0, 100)}", which was unloaded meanwhile. Load it again.`,
      { param: "model" },
    );
  }

  /** @throws CheckpointError ERR_ADAPTER_*, ERR_CHECKPOINT_*; then everything is as it was */
  async change(change: Change): Promise<void> {
    switch (change.kind) {
      case "load": {
        const { name, path, maxRank } = change;
        const model = loadAdapter(this.#base.model, path, { maxRank, checkValues: true });
        this.#unload(name);
        this.#adapted.set(name, this.#over(model));
        return;
      }
      case "unload":
        this.#unload(change.name);
        return;
      case "replace":
        this.#replace(await this.#load(change.path), change.path);
    }
  }

  /** An adapter that leaves the towers alone sees what the model's own towers saw. */
  #over(model: AdaptedModel): Adapted {
    const seesOtherwise = model.adapter.modules.some((module) => model.partOf(`${module}.weight`) !== "language model");
    return { model, media: seesOtherwise ? new MediaRows(model, this.#mediaCacheBytes) : this.#base.media };
  }

  #unload(name: string): void {
    const known = this.#adapted.get(name);
    if (known === undefined) return;
    this.#adapted.delete(name);
    if (known.media !== this.#base.media) known.media[Symbol.dispose]();
    known.model[Symbol.dispose]();
  }

  #replace(model: OmniModel, path: string): void {
    const before = this.#base;
    const difference = differenceOf(before.model, model);
    if (difference !== null) {
      model[Symbol.dispose]();
      throw new HttpError(
        400,
        "ERR_WEIGHTS",
        `update_info.path: expected the weights of the served model, got ${path} with ${difference}. Serve that model instead.`,
        { param: "update_info.path" },
      );
    }
    this.#base = { model, media: new MediaRows(model, this.#mediaCacheBytes) };
    for (const [name, { model: adapted, media }] of this.#adapted) {
      if (media !== before.media) media[Symbol.dispose]();
      this.#adapted.set(name, this.#over(model.withAdapter(adapted.adapter)));
    }
    before.media[Symbol.dispose]();
    before.model[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    for (const name of [...this.#adapted.keys()]) this.#unload(name);
    this.#base.media[Symbol.dispose]();
    this.#base.model[Symbol.dispose]();
  }
}

/** What of another model's parameters is not as here; null: they could stand in their place. */
function differenceOf(here: OmniModel, other: OmniModel): string | null {
  const theirs = other.parameters();
  const own = here.parameters();
  if (theirs.size !== own.size) return `${theirs.size} parameters where there are ${own.size}`;
  for (const [name, { shape }] of own) {
    const found = theirs.get(name)?.shape;
    if (found?.join() !== shape.join()) return `${name} of ${found === undefined ? "no" : `[${found}]`} numbers`;
  }
  return null;
}
