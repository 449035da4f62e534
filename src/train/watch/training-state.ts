// What a checkpoint of training holds: the parameters that learn, and the optimizer's moments. The best one of a run holds the
// parameters alone: nobody goes on from it. Written whole by one process (policy and optimizer) or in parts by several (shards), by
// the parameters' names; read by any number of processes, each of which takes the elements that it keeps.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Learner, Piece } from "../../nn/index.ts";
import { type Checkpoint, latestCheckpoint } from "../../run/checkpoint.ts";
import {
  CheckpointError,
  op,
  openSafetensors,
  type SafetensorsFile,
  scope,
  type Tensor,
  type World,
  writeSafetensors,
} from "../../tensor/index.ts";

const policyFile = "policy.safetensors";
const optimizerFile = "optimizer.safetensors";
const referenceFile = "reference.safetensors";
const shardFile = ({ rank, size }: World) => `shard-${rank + 1}-of-${size}.safetensors`;

/** The parameters that learn, or their float32 masters, by checkpoint key. */
export type Learning = ReadonlyMap<string, Tensor>;

/** Writes what learns into a folder, to look at or to begin anew with. @throws CheckpointError */
export function saveWeights(directory: string, trainable: Learning): void {
  writeSafetensors(join(directory, policyFile), trainable);
}

/**
 * Writes what is needed to go on: whole, or a sharded learner's part.
 * @param moving what of the reference moves; left out: it stays
 * @throws CheckpointError
 */
export function saveState(
  directory: string,
  { slots, optimizer, isSharded }: Learner,
  world: World,
  moving: Learning | null = null,
): void {
  scope(() => {
    if (moving !== null && world.rank === 0) writeSafetensors(join(directory, referenceFile), moving);
    const masters = slots.map(({ key, master }) => [key, master] as const);
    if (!isSharded) {
      saveWeights(directory, new Map(masters));
      writeSafetensors(join(directory, optimizerFile), optimizer.state());
      return;
    }
    const named = masters.map(([key, master]) => [`master.${key}`, master] as const);
    writeSafetensors(join(directory, shardFile(world)), new Map([...named, ...optimizer.state()]));
  });
}

/** Loads the newest checkpoint into a learner. @param names of the parameters, in their order @returns the step to go on with */
export function restoreState(
  folder: string,
  learner: Learner,
  names: readonly string[],
  moving: Learning | null = null,
): number {
  const checkpoint = latestCheckpoint(folder);
  if (checkpoint === null) return 0;
  const { slots, optimizer } = learner;
  scope(() => {
    if (moving !== null) {
      using reference = openSafetensors(join(checkpoint.directory, referenceFile));
      for (const [name, parameter] of moving) parameter.detach().copy_(reference.tensor(name));
    }
    using saved = new SavedState(checkpoint.directory, names);
    for (const { key, piece, master } of slots) saved.copy("master", key, piece, master.detach());
    const byKey = new Map(slots.map((slot) => [slot.key, slot]));
    const state = new Map<string, Tensor>();
    for (const [stateKey, target] of optimizer.state()) {
      const [kind, key] = splitKey(stateKey);
      const { piece } = byKey.get(key)!;
      state.set(stateKey, kind === "step" ? saved.step(key, piece) : saved.read(kind, key, piece, target));
    }
    optimizer.loadState(state);
  });
  learner.loaded();
  return checkpoint.step;
}

/** Puts a checkpoint's parameters in place of those that learn. @throws CheckpointError */
export function loadWeights({ directory }: Checkpoint, trainable: Learning): void {
  scope(() => {
    using saved = new SavedState(directory, []);
    for (const [name, parameter] of trainable) saved.copy("master", name, null, parameter.detach());
  });
}

/** Elements of a parameter in a file. */
interface Stored {
  readonly file: SafetensorsFile;
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

const pieceEnd = /\[(\d+):(\d+)\]$/;

/** The files of a checkpoint, whoever wrote them. */
class SavedState implements Disposable {
  readonly #directory: string;
  readonly #files: readonly SafetensorsFile[];
  readonly #stored = new Map<string, Stored[]>();

  constructor(directory: string, names: readonly string[]) {
    this.#directory = directory;
    const own = readdirSync(directory).filter((name) => name.endsWith(".safetensors") && name !== referenceFile);
    this.#files = own.map((name) => openSafetensors(join(directory, name)));
    for (const [i, file] of this.#files.entries()) this.#index(own[i]!, file, names);
  }

  #index(name: string, file: SafetensorsFile, names: readonly string[]): void {
    for (const [key, { shape }] of file.entries) {
      const isNumbered = name === optimizerFile && file.entries.has("step");
      const [kind, ofFile] = name === policyFile ? ["master", key] : splitKey(key);
      // Once parameters were numbered through, with their steps in one tensor.
      const parameter = isNumbered ? (names[Number(ofFile)] ?? ofFile) : ofFile;
      const [, start, end] = pieceEnd.exec(parameter) ?? [];
      const whole = `${kind}.${parameter.replace(pieceEnd, "")}`;
      const length = shape.reduce((product, size) => product * size, 1);
      const stored = { file, key, start: Number(start ?? 0), end: Number(end ?? length) };
      this.#stored.set(whole, [...(this.#stored.get(whole) ?? []), stored]);
    }
    if (!file.entries.has("step") || name !== optimizerFile) return;
    for (const [i, parameter] of names.entries()) {
      this.#stored.set(`step.${parameter}`, [{ file, key: "step", start: i, end: i + 1 }]);
    }
  }

  copy(kind: string, key: string, piece: Piece | null, target: Tensor): void {
    target.copy_(this.read(kind, key, piece, target));
  }

  /** Shaped as `like`. @throws CheckpointError ERR_CHECKPOINT_WEIGHTS */
  read(kind: string, key: string, piece: Piece | null, like: Tensor): Tensor {
    const stored = this.#find(kind, piece?.name ?? key);
    const [start, end] = piece === null ? [0, like.numel] : [piece.start, piece.end];
    const length = Math.max(...stored.map((one) => one.end));
    const parts = stored
      .filter((one) => one.end > start && one.start < end)
      .sort((a, b) => a.start - b.start)
      .map((one) => {
        const first = Math.max(start, one.start);
        const count = Math.min(end, one.end) - first;
        return one.file
          .tensor(one.key)
          .reshape([-1])
          .narrow(0, first - one.start, count);
      });
    const flat = parts.length === 1 ? parts[0]! : op.cat(parts.length === 0 ? [op.zeros([0])] : parts, { dim: 0 });
    if (flat.numel !== like.numel || (piece === null && length !== like.numel)) {
      throw this.#mismatch(`${kind}.${key}`, `${like.numel} elements`, `${piece === null ? length : flat.numel}`);
    }
    return flat.view(like.shape);
  }

  /** How often a parameter was updated. */
  step(key: string, piece: Piece | null): Tensor {
    const [{ file, key: stored, start }] = this.#find("step", piece?.name ?? key) as [Stored];
    const steps = file.tensor(stored).reshape([-1]);
    return stored === "step" ? steps.select(0, start) : steps.select(0, 0);
  }

  #find(kind: string, name: string): readonly Stored[] {
    const found = this.#stored.get(`${kind}.${name}`);
    if (found !== undefined) return found;
    throw this.#mismatch(`${kind}.${name}`, "it", "nothing");
  }

  #mismatch(key: string, expected: string, got: string): CheckpointError {
    const message = `${key}: expected ${expected}, got ${got}. Was it saved with the same parameters?`;
    return new CheckpointError("ERR_CHECKPOINT_WEIGHTS", this.#directory, message, { key });
  }

  [Symbol.dispose](): void {
    for (const file of this.#files) file[Symbol.dispose]();
  }
}

/** "exp_avg.model.norm.weight" is the exp_avg of model.norm.weight. */
function splitKey(key: string): [kind: string, rest: string] {
  const dot = key.indexOf(".");
  return dot < 0 ? [key, ""] : [key.slice(0, dot), key.slice(dot + 1)];
}
