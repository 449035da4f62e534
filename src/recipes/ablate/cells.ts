// From a grid to its cells: every row from every cold start with every seed, as what determines it. The name of a cell's folder is a
// digest of that, so that what is there was made of exactly this, whichever grid asked for it.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Measures } from "../../bench/measure.ts";
import { OppoError } from "../../error.ts";
import { codeDigest } from "../../run/code-digest.ts";
import { type DeepReadonly, resolveConfig } from "../../run/config.ts";
import { deriveSeed } from "../../seeds.ts";
import { torchVersion } from "../../tensor/index.ts";
import { type TrainConfig, trainSchema } from "../../train/config.ts";
import { methodIdle } from "../../train/idle.ts";
import { presets } from "../../train/presets.ts";
import type { TheatrePaths } from "../../train/theatre/context.ts";
import type { HeldOut } from "../../train/theatre/measure.ts";
import type { TheatreConfig } from "../../train/theatre/settings.ts";
import { planOf, type SplitName, splitNames } from "../../train/theatre/splits.ts";
import { readShared } from "./corpus/shared.ts";
import type { Evaluation, Grid, GridRow } from "./grid.ts";
import type { AblateConfig } from "./settings.ts";
import type { StartKind } from "./start-kinds.ts";

/** Which clips a choice may look at, and which are looked at once. */
export type Phase = "dev" | "test";

export const heldOut: Readonly<Record<Phase, HeldOut>> = {
  dev: { congruent: "dev", conflict: "devConflict" },
  test: { congruent: "congruent", conflict: "conflict" },
};

/** A model that rows begin from. */
export interface RowStart {
  readonly kind: string;
  /** 0 the first. */
  readonly index: number;
  /** Digest of what determines it. */
  readonly key: string;
}

/** One of the theatre's: the first is that of `oppo demo` with the same seed. */
export interface Start extends RowStart {
  readonly kind: StartKind;
  /** The same of its towers, which cold starts of other kinds share. */
  readonly towerKey: string;
  readonly theatre: TheatreConfig;
}

export interface Cell<Own extends RowStart = RowStart> {
  readonly row: GridRow;
  readonly start: Own;
  /** null: the cold start as it is. */
  readonly training: Training | null;
}

export type TheatreCell = Cell<Start>;

export interface Training {
  /** 0 the first RL seed. */
  readonly seed: number;
  readonly key: string;
  readonly config: DeepReadonly<TrainConfig>;
}

/** Digests of the code that makes a thing. */
export interface MakerCode {
  readonly clips: string;
  readonly start: string;
  readonly training: string;
  readonly measure: string;
  /** Of all that a child runs; in no name. */
  readonly program: string;
}

const module = (path: string) => fileURLToPath(new URL(`../../${path}.js`, import.meta.url));

export function makerCode(): MakerCode {
  return {
    clips: codeDigest(module("data/theatre/render")),
    start: codeDigest(module("train/theatre/cold-start")) + codeDigest(module("train/theatre/warm-tower")),
    training: codeDigest(module("train/theatre/train-arm")),
    measure: codeDigest(module("train/theatre/measure")) + codeDigest(module("train/theatre/conditions")),
    program: codeDigest(module("recipes/ablate/tasks")),
  };
}

/** Where what a grid is made of lies, whatever its cells are trained on. */
export interface Shelf {
  readonly root: string;
  readonly config: AblateConfig;
  /** Digests, by what is made. */
  readonly code: object;
  trainingFolder(training: Training): string;
  /** Whether everything that a grid wants of a cell is there. */
  isMade(cell: Cell, evaluation: Evaluation, phase: Phase): boolean;
  /** Of a cell that is made. */
  measuresOf(cell: Cell, evaluation: Evaluation, phase: Phase): Measures;
}

/** Sixteen hex digits of a value, whatever the order of its keys. */
export function keyOf(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(value)))
    .digest("hex")
    .slice(0, 16);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

/** What of a grid's settings decides a row's. */
export type RowSettings = Pick<AblateConfig, "play"> & Partial<Pick<AblateConfig, "data" | "shared">>;

/** What a training's numbers do not hang on. */
const withoutEffect = ["checkpointEvery", "keep", "tensorboard"];

/** What they hang on: of a training's settings what belongs in its digest. */
export function effectiveConfig(config: DeepReadonly<TrainConfig>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(config).filter(([name]) => !withoutEffect.includes(name)));
}

/**
 * The resolved training of a row.
 * @throws ConfigError for a setting that is none or does nothing in this row, OppoError ERR_ABLATE_GRID for one that asks a judge
 */
export function rowConfig(row: GridRow, config: RowSettings, seed: number): DeepReadonly<TrainConfig> {
  const { data = null, shared = null } = config;
  const base = data === null ? { steps: config.play.rlSteps } : {};
  const preset = { ...presets[row.preset!].config, ...base, seed };
  const overrides = data === null ? row.overrides : [...readShared(shared).training, ...row.overrides];
  const resolved = resolveConfig(trainSchema, { preset, overrides }, methodIdle);
  if (resolved.reward.judged.length === 0) return resolved;
  throw new OppoError(
    "ERR_ABLATE_GRID",
    `${row.name}: expected rewards that need nobody else, got reward.judged, which asks a language model. Leave the row out, or set reward.judged=[].`,
  );
}

/** What a grid's cells are made of and where it lies. */
export class Workshop {
  readonly root: string;
  readonly config: AblateConfig;
  readonly code: MakerCode;
  readonly #splits: Readonly<Record<SplitName, string>>;

  constructor(root: string, config: AblateConfig, code: MakerCode = makerCode()) {
    this.root = root;
    this.config = config;
    this.code = code;
    const theatre = this.theatre("mixed", 0);
    const keyOfSplit = (split: SplitName) => keyOf([planOf(theatre, split), code.clips]);
    this.#splits = Object.fromEntries(splitNames.map((split) => [split, keyOfSplit(split)])) as Record<
      SplitName,
      string
    >;
  }

  /** The theatre's settings of a cold start. Clips are rendered with those of the first. */
  theatre(kind: StartKind, index: number): TheatreConfig {
    const { seed, play } = this.config;
    const { rlSteps: _, conditionClips: __, ...theatre } = play;
    return {
      ...theatre,
      sft: { ...theatre.sft, coldStart: kind },
      seed: index === 0 ? seed : deriveSeed(seed, "cold start", index),
    };
  }

  start(kind: StartKind, index: number): Start {
    const theatre = this.theatre(kind, index);
    const { seed, warmup, sft, shards } = theatre;
    const { code } = this;
    const clips = [this.#splits.warmup, this.#splits.warmupDev];
    const towerKey = keyOf({ seed, warmup, clips, shards, code: code.start, torch: torchVersion() });
    const key = keyOf({ towers: towerKey, sft, clips: this.#splits.sft, code: code.start });
    return { kind, index, key, towerKey, theatre };
  }

  /** Every cell, the cold starts first, then seed by seed, so that all rows of a seed are known before the next one's. */
  cells(grid: Grid): TheatreCell[] {
    const numStarts = this.config.coldStarts ?? grid.numStarts;
    const numSeeds = this.config.seeds ?? grid.numSeeds;
    const indices = (count: number) => Array.from({ length: count }, (_, i) => i);
    const plain = indices(numStarts).flatMap((index) =>
      grid.rows
        .filter(({ preset }) => preset === null)
        .map((row): TheatreCell => ({ row, start: this.start(row.start, index), training: null })),
    );
    const trained = indices(numSeeds).flatMap((seed) =>
      indices(numStarts).flatMap((index) =>
        grid.rows
          .filter(({ preset }) => preset !== null)
          .map((row): TheatreCell => {
            const start = this.start(row.start, index);
            return { row, start, training: this.#training(row, start, seed) };
          }),
      ),
    );
    return [...plain, ...trained];
  }

  #training(row: GridRow, start: Start, seed: number): Training {
    const config = rowConfig(row, this.config, deriveSeed(start.theatre.seed, "rl", seed));
    const { training: code } = this.code;
    const key = keyOf({ start: start.key, config: effectiveConfig(config), clips: this.#splits.rl, code });
    return { seed, config, key };
  }

  paths(start: Start): TheatrePaths {
    const folder = join(this.root, "starts", start.key);
    const towers = join(this.root, "towers", start.towerKey);
    return {
      fresh: join(towers, "fresh"),
      sft: join(folder, "sft"),
      corpus: (split) => join(this.root, "clips", `${split}-${this.#splits[split as SplitName]}`),
      tower: (modality) => join(towers, `${modality}.safetensors`),
      towerAccuracy: (modality) => join(towers, `${modality}.json`),
      // What is learnt of clips alone is the towers', also the observer that reads their rows.
      learning: (name) => join(name === "sft" ? folder : towers, "learning", name),
    };
  }

  /** Of a cell that is trained. */
  trainingFolder({ key }: Training): string {
    return join(this.root, "cells", key);
  }

  modelOf({ start, training }: TheatreCell): string {
    return training === null ? this.paths(start).sft : join(this.trainingFolder(training), "model");
  }

  measuredFile(
    { start, training }: Pick<TheatreCell, "training"> & { readonly start: Pick<RowStart, "key"> },
    evaluation: Evaluation,
    phase: Phase,
  ): string {
    const { congruent, conflict } = heldOut[phase];
    const clips = [this.#splits[congruent], this.#splits[conflict]];
    const model = training?.key ?? start.key;
    return join(this.root, "measured", `${keyOf({ model, evaluation, clips, code: this.code.measure })}.json`);
  }
}
