// Cold starts by name: what of the theatre's settings each changes.

export const startKinds = {
  /** The demo's: most clips without a modality are described as if it were there, a few say that there is nothing. */
  mixed: {},
} satisfies Record<string, object>;

export type StartKind = keyof typeof startKinds;
