// The cells of a grid on a corpus of one's own: every row from every model that was named, with every seed, under digests of what
// determines them. A cell's folder is a run of `oppo train`, its measures are a run of `oppo mep run`.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Measures } from "../../../bench/measure.ts";
import { OppoError } from "../../../error.ts";
import { codeDigest } from "../../../run/code-digest.ts";
import { deriveSeed } from "../../../seeds.ts";
import { torchVersion } from "../../../tensor/index.ts";
import {
  type Cell,
  effectiveConfig,
  keyOf,
  type Phase,
  type RowStart,
  rowConfig,
  type Shelf,
  type Training,
} from "../cells.ts";
import type { Evaluation, Grid } from "../grid.ts";
import type { AblateConfig } from "../settings.ts";
import { readingSettings, readShared, type SharedSettings } from "./shared.ts";

export interface CorpusStart extends RowStart {
  readonly model: string;
}

export type CorpusCell = Cell<CorpusStart>;

const module = (path: string) => fileURLToPath(new URL(`../../../${path}.js`, import.meta.url));

/** Digests of the code that makes a thing. */
export function corpusCode() {
  return {
    training: codeDigest(module("recipes/train/train")),
    build: codeDigest(module("recipes/mep/build")),
    measure: codeDigest(module("recipes/mep/run")),
    conditions: codeDigest(module("recipes/ablate/corpus/measure-corpus")),
  };
}

export class CorpusShelf implements Shelf {
  readonly root: string;
  readonly config: AblateConfig;
  readonly code = corpusCode();
  readonly shared: SharedSettings;
  readonly starts: readonly CorpusStart[];
  readonly data: string;
  readonly #files: Readonly<Record<Phase, string | null>>;
  readonly #digests = new Map<string, string>();

  /** @throws OppoError ERR_ABLATE_DATA */
  constructor(root: string, config: AblateConfig) {
    this.root = root;
    this.config = config;
    this.data = config.data!;
    this.shared = readShared(config.shared);
    // What it says of reading is refused before anything is made.
    readingSettings(this.shared.all);
    this.starts = startsOf(config);
    this.#files = { dev: config.dev, test: config.test };
  }

  /** The samples that rows are measured on. @throws OppoError ERR_ABLATE_DATA */
  measuredOn(phase: Phase): string {
    const file = this.#files[phase];
    if (file !== null) return file;
    throw new OppoError(
      "ERR_ABLATE_DATA",
      `--data ${this.data}: expected samples that ${phase === "dev" ? "a choice is" : "rows are"} measured on, got none. Give --${phase} FILE, with none of the samples of --data.`,
    );
  }

  /** Seed by seed, so that all rows of a seed are known before the next one's; the models as they are first. */
  cells(grid: Grid): CorpusCell[] {
    const seeds = Array.from({ length: this.config.seeds ?? grid.numSeeds }, (_, seed) => seed);
    const plain = grid.rows.filter(({ preset }) => preset === null);
    const trained = grid.rows.filter(({ preset }) => preset !== null);
    return [
      ...this.starts.flatMap((start) => plain.map((row): CorpusCell => ({ row, start, training: null }))),
      ...seeds.flatMap((seed) =>
        this.starts.flatMap((start) =>
          trained.map((row): CorpusCell => ({ row, start, training: this.#training(row, start, seed) })),
        ),
      ),
    ];
  }

  #training(row: Grid["rows"][number], start: CorpusStart, seed: number): Training {
    const config = rowConfig(row, this.config, deriveSeed(this.config.seed, "rl", start.index, seed));
    const { train } = this.shared;
    const key = keyOf({
      ...{ start: start.key, config: effectiveConfig(config), train, data: this.#digest(this.data) },
      ...{ code: this.code.training, torch: torchVersion() },
    });
    return { seed, config, key };
  }

  /** Of a file's bytes. */
  #digest(file: string): string {
    let digest = this.#digests.get(file);
    if (digest === undefined) {
      digest = createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 16);
      this.#digests.set(file, digest);
    }
    return digest;
  }

  trainingFolder({ key }: Training): string {
    return join(this.root, "cells", key);
  }

  trainingMark(training: Training): string {
    return join(this.trainingFolder(training), "done");
  }

  modelOf({ start, training }: CorpusCell): string {
    return training === null ? start.model : join(this.trainingFolder(training), "model");
  }

  setFolder(phase: Phase): string {
    const { build } = this.shared;
    const key = keyOf({ samples: this.#digest(this.measuredOn(phase)), build, code: this.code.build });
    return join(this.root, "sets", `${phase}-${key}`);
  }

  get observers(): string {
    return join(this.root, "observers");
  }

  suiteFolder(cell: Cell, phase: Phase): string {
    const { measure } = this.shared;
    const model = cell.training?.key ?? cell.start.key;
    const key = keyOf({ model, set: basename(this.setFolder(phase)), measure, code: this.code.measure });
    return join(this.root, "measured", key);
  }

  conditionsFile(cell: Cell, { conditions }: Evaluation, phase: Phase): string {
    const { measure, all } = this.shared;
    const model = cell.training?.key ?? cell.start.key;
    const samples = [this.data, this.measuredOn(phase)].map((file) => this.#digest(file));
    const { seed } = this.config;
    const key = keyOf({ model, conditions, samples, seed, measure, reading: all, code: this.code.conditions });
    return join(this.root, "measured", `${key}.json`);
  }

  isTrained(cell: Cell): boolean {
    return cell.training === null || existsSync(this.trainingMark(cell.training));
  }

  isMade(cell: Cell, evaluation: Evaluation, phase: Phase): boolean {
    const isMeasured = !evaluation.suite || existsSync(join(this.suiteFolder(cell, phase), "results.json"));
    const isAsked = evaluation.conditions.length === 0 || existsSync(this.conditionsFile(cell, evaluation, phase));
    return this.isTrained(cell) && isMeasured && isAsked;
  }

  measuresOf(cell: Cell, evaluation: Evaluation, phase: Phase): Measures {
    const read = (file: string) => (JSON.parse(readFileSync(file, "utf8")) as { measures: Measures }).measures;
    return {
      ...(evaluation.suite ? read(join(this.suiteFolder(cell, phase), "results.json")) : {}),
      ...(evaluation.conditions.length === 0 ? {} : read(this.conditionsFile(cell, evaluation, phase))),
    };
  }
}

function startsOf({ data, model, start }: AblateConfig): CorpusStart[] {
  const named = start.map((text) => {
    const equals = text.indexOf("=");
    return { kind: text.slice(0, Math.max(0, equals)).trim(), model: text.slice(equals + 1).trim() };
  });
  const all = named.length > 0 ? named : model === null ? [] : [{ kind: basename(resolve(model)), model }];
  const wrong = all.find(
    (one, i) => one.kind === "" || one.model === "" || all.findIndex(({ kind }) => kind === one.kind) !== i,
  );
  if (all.length === 0 || wrong !== undefined) {
    throw new OppoError(
      "ERR_ABLATE_DATA",
      `--data ${data}: expected --model FOLDER, or --start NAME=FOLDER with names that differ, got ${wrong === undefined ? "neither" : `"${wrong.kind}=${wrong.model}"`}.`,
    );
  }
  return all.map(({ kind, model: folder }, index) => ({ kind, index, model: folder, key: modelKey(folder) }));
}

/** Changes when the model's files do. @throws OppoError ERR_ABLATE_DATA */
function modelKey(folder: string): string {
  if (!existsSync(join(folder, "config.json"))) {
    throw new OppoError(
      "ERR_ABLATE_DATA",
      `${folder}: expected a model's folder to begin from, got one without config.json. Check the path.`,
    );
  }
  const files = readdirSync(folder).sort();
  return keyOf(
    files.map((name) => {
      const { size, mtimeMs } = statSync(join(folder, name));
      return [name, size, mtimeMs];
    }),
  );
}
