// The adapters of a server by name, as clients see them: loaded in the engine's process, served beside the model.
import { fieldError, HttpError } from "../../http/http-error.ts";
import type { Engine } from "../engine.ts";
import { allowedWeights } from "./allowed-folder.ts";

export interface WeightLimits {
  /** Adapters and models may be loaded from below it; null: from nowhere. */
  readonly allowedFolder: string | null;
  readonly maxAdapters: number;
  readonly maxRank: number;
}

const nameForm = /^[\w.:@/-]{1,200}$/;

export class ServedAdapters {
  readonly #engine: Engine;
  readonly #limits: WeightLimits;
  readonly #modelName: string;
  /** Name -> path, in the order of loading. */
  readonly #loaded = new Map<string, string>();

  constructor(engine: Engine, limits: WeightLimits, modelName: string) {
    this.#engine = engine;
    this.#limits = limits;
    this.#modelName = modelName;
  }

  has(name: string): boolean {
    return this.#loaded.has(name);
  }

  entries(): readonly (readonly [name: string, path: string])[] {
    return [...this.#loaded];
  }

  /**
   * @param inPlace a name that is taken gets the new weights
   * @throws HttpError ERR_REQUEST_FIELD, ERR_WEIGHTS, and with status 400 what reading an adapter throws
   */
  async load(name: string, path: string, inPlace: boolean): Promise<void> {
    const { allowedFolder, maxAdapters, maxRank } = this.#limits;
    const folder = allowedWeights(path, allowedFolder, "lora_path");
    if (!nameForm.test(name) || name === this.#modelName) {
      throw fieldError(
        "lora_name",
        "letters, digits and ._:@/- that are not the model's name",
        "another text",
        "Choose another.",
      );
    }
    const isTaken = this.#loaded.has(name);
    if (isTaken && !inPlace) {
      throw fieldError(
        "lora_name",
        "a name that is free",
        `${name}, which has been loaded`,
        "Unload it first, or set load_inplace.",
      );
    }
    if (!isTaken && this.#loaded.size >= maxAdapters) {
      throw fieldError(
        "lora_name",
        `at most ${maxAdapters} adapters`,
        "one more",
        "Unload one first, or start the server with a larger --max-adapters.",
      );
    }
    await this.#engine.change({ kind: "load", name, path: folder, maxRank });
    this.#loaded.set(name, folder);
  }

  /** @throws HttpError ERR_MODEL_NAME (404) */
  async unload(name: string): Promise<void> {
    if (!this.#loaded.has(name)) {
      throw new HttpError(
        404,
        "ERR_MODEL_NAME",
        `lora_name: expected an adapter that is loaded, got "${name.slice(0, 100)}". GET /v1/models lists them.`,
        { param: "lora_name" },
      );
    }
    this.#loaded.delete(name);
    await this.#engine.change({ kind: "unload", name });
  }
}
