// Rows that others published, to stand beside one's own: as printed, in percent, with the protocol that made them. They
// were made with the "affectgpt" lexicon and a sampled language model as extractor and judge; tests assert none of them.

export interface PublishedRow {
  readonly system: string;
  readonly source: string;
  /** How checkpoints were chosen. */
  readonly protocol: "final checkpoint" | "best checkpoint per set" | "not stated";
  /** Data set -> primary number; empty where only the mean is known to us. */
  readonly sets: Readonly<Record<string, number>>;
  /** As printed; null where there is none. */
  readonly mean: number | null;
  readonly note?: string;
}

const order = ["CMUMOSI", "CMUMOSEI", "SIMS", "SIMSv2", "MER2023", "MER2024", "MELD", "IEMOCAPFour", "OVMERDPlus"];
const inOrder = (values: readonly number[]) => Object.fromEntries(order.map((name, i) => [name, values[i]!]));

const oppoTable = "OPPO paper, Table 2";

export const publishedRows: readonly PublishedRow[] = [
  {
    system: "R1-Omni",
    source: oppoTable,
    protocol: "not stated",
    sets: inOrder([58.02, 56.48, 71.82, 68.58, 64.17, 67.43, 43.2, 51.58, 55.24]),
    mean: 59.61,
  },
  { system: "AffectGPT", source: "AffectGPT paper", protocol: "best checkpoint per set", sets: {}, mean: 74.77 },
  { system: "AffectGPT", source: "re-run in the OPPO paper", protocol: "final checkpoint", sets: {}, mean: 71.96 },
  {
    system: "AffectGPT-R1",
    source: oppoTable,
    protocol: "best checkpoint per set",
    sets: inOrder([79.65, 80.18, 87.26, 85.75, 84.51, 93.13, 66.71, 74.26, 68.39]),
    mean: 79.98,
  },
  { system: "AffectGPT-R1", source: "re-run in the OPPO paper", protocol: "final checkpoint", sets: {}, mean: 75.6 },
  { system: "OPPO baseline", source: "OPPO paper, Table 3", protocol: "final checkpoint", sets: {}, mean: 77.87 },
  {
    system: "OPPO",
    source: oppoTable,
    protocol: "final checkpoint",
    sets: {},
    mean: 81.05,
    note: "its nine columns average 80.94",
  },
];

/** WAR and UAR in percent, from R1-Omni's table. */
export const publishedRecall: readonly {
  readonly system: string;
  readonly sets: Readonly<Record<string, readonly [war: number, uar: number]>>;
}[] = [
  { system: "HumanOmni-0.5B", sets: { DFEW: [22.64, 19.44], MAFW: [20.18, 13.52], RAVDESS: [7.33, 9.38] } },
  { system: "EMER-SFT", sets: { DFEW: [38.66, 35.31], MAFW: [38.39, 28.02], RAVDESS: [29.0, 27.19] } },
  { system: "MAFW-DFEW-SFT", sets: { DFEW: [60.23, 44.39], MAFW: [50.44, 30.39], RAVDESS: [29.33, 30.75] } },
  { system: "R1-Omni", sets: { DFEW: [65.83, 56.27], MAFW: [57.68, 40.04], RAVDESS: [43.0, 44.69] } },
];
