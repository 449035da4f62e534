// The three towers of HumanOmni as its folder brings them: settings, and the folder that has them.

export type Json = Readonly<Record<string, unknown>>;

export type TowerKind = "vision" | "audio" | "question";

/** One tower's settings and where they were found. */
export interface Tower {
  /** Its config.json. */
  readonly json: Json;
  /** Its folder's name inside the model's, where its weights may lie too; it need not exist. */
  readonly folder: string;
}

export type Towers = Readonly<Record<TowerKind, Tower>>;
