// What `oppo ablate` can be told: which grid, by name or put together, how often, in how many processes, and how much of everything
// on the theatre.
import { z } from "zod";
import { count, folderPath, optionalCount, optionalFile, optionalFolder, seedSetting } from "../../corpus/settings.ts";
import { type ConfigSources, resolveConfig, type SettingsOf } from "../../run/config.ts";
import type { IdleRule } from "../../run/idle-settings.ts";
import { presets } from "../../train/presets.ts";
import { type TheatreConfig, theatreClips, theatreShape } from "../../train/theatre/settings.ts";
import { startNames } from "./start-kinds.ts";
import { figureNames, tableNames } from "./tables.ts";

const presetNames = Object.keys(presets) as [keyof typeof presets, ...(keyof typeof presets)[]];

const named = (names: readonly [string, ...string[]], description: string) =>
  z.enum(names).nullable().default(null).meta({ description, standard: "none" });

/** Of reinforcement learning. The experiment asks what a method teaches of any clip: 400 are learnt by heart in 100 steps. */
const usual = { rlSteps: 50, rlClips: theatreClips.parse({}).rl };
const ofExperiment = { rlSteps: 100, rlClips: 2000 };
const asTheGridSays = (name: keyof typeof usual) => `${usual[name]}, ${ofExperiment[name]} in the experiment`;

export const ablateSettings = z.strictObject({
  run: folderPath("where everything goes; what is there is not made again").default("runs/ablate"),
  table: z.enum(tableNames).nullable().default(null).meta({
    description: "a table of the paper: 3 rewards and losses, 4 alpha, 5 beta, 6 rho, 7 delta",
    standard: "none",
  }),
  figure: named(figureNames, "a figure of the paper: 3 R_omni in training over beta"),
  experiment: named(
    ["faithfulness"],
    "faithfulness: claims that nothing supports, under masks that no row was trained on, and what is still said of the visible",
  ),
  grid: optionalFile("a grid of your own: YAML or JSON with presets, vary, starts, title", "none"),
  presets: z.array(z.enum(presetNames)).default([]).describe("rows of a grid of your own (oppo presets lists them)"),
  vary: z.array(z.string()).default([]).meta({
    description:
      "values of a training setting, one row each: path=a,b,c, or alpha, beta, rho, delta; several make every combination; --set with a training setting does the same",
    standard: "none",
  }),
  starts: z.array(z.enum(startNames)).min(1).default(["mixed"]).describe("cold starts of a grid of your own"),
  data: optionalFile("samples with cues to train on, in place of the theatre's", "the theatre"),
  model: optionalFolder("the model that all rows begin from"),
  start: z.array(z.string()).default([]).meta({
    description: "several models in its place, as cold starts: NAME=FOLDER each",
    value: "name=folder",
    standard: "none",
  }),
  dev: optionalFile("samples with cues that a choice is measured on"),
  test: optionalFile("samples with cues that rows are measured on"),
  shared: optionalFile("settings of the commands of all cells: train, build (of the set) and measure", "none"),
  choose: z
    .boolean()
    .default(false)
    .describe("choose a row on the dev split; the test split then sees that one alone (tables 4 to 7 always do)"),
  coldStarts: optionalCount("models that rows begin from, each from a seed of its own", "as the grid says, else 1"),
  seeds: optionalCount("RL seeds per cold start", "as the grid says, else 1"),
  seed: seedSetting("everything follows from it"),
  processes: count.max(64).default(2).describe("processes that work at the same time; each computes with one thread"),
  dryRun: z.boolean().default(false).describe("print the cells and how long they would take, and do nothing"),
  play: z
    .strictObject({
      ...theatreShape,
      clips: theatreClips
        .extend({ rl: optionalCount("clips of reinforcement learning", asTheGridSays("rlClips")) })
        .prefault({}),
      rlSteps: optionalCount("steps of every row, unless it varies them", asTheGridSays("rlSteps")),
      conditionClips: count
        .default(100)
        .describe("clips on which the experiment faithfulness measures every kind and dose of mask"),
    })
    .prefault({}),
});

export type AblateSettings = SettingsOf<typeof ablateSettings>;
type Asked = Omit<AblateSettings, "run" | "dryRun">;

/** With what the grid says where nothing was asked for. */
export interface AblateConfig extends Omit<Asked, "play"> {
  readonly play: Omit<Asked["play"], "clips" | "rlSteps"> & {
    readonly clips: TheatreConfig["clips"];
    readonly rlSteps: number;
  };
}

export function asGridSays<T extends Asked>(asked: T): Omit<T, "play"> & Pick<AblateConfig, "play"> {
  const { clips, rlSteps } = asked.play;
  const standing = asked.experiment === null ? usual : ofExperiment;
  const own = { rlSteps: rlSteps ?? standing.rlSteps, clips: { ...clips, rl: clips.rl ?? standing.rlClips } };
  return { ...asked, play: { ...asked.play, ...own } };
}

const isNamed = ({ table, figure, experiment }: Pick<AblateSettings, "table" | "figure" | "experiment">) =>
  table !== null || figure !== null || experiment !== null;

/** Whether a row is chosen on the dev split before the test split sees it. */
const chooses = ({ choose, table }: Pick<AblateSettings, "choose" | "table">) =>
  choose || (table !== null && table !== "3");

export const ablateIdle: readonly IdleRule<AblateSettings>[] = [
  {
    paths: ["model", "start", "dev", "test", "shared"],
    when: ({ data }) => data === null,
    why: "the theatre has clips and models of its own, and no --data is given",
  },
  {
    paths: ["starts", "coldStarts", "play"],
    when: ({ data }) => data !== null,
    why: "they are the theatre's; --data has rows of its own, and --start names models",
  },
  { paths: ["model"], when: ({ start }) => start.length > 0, why: "start names the models" },
  {
    paths: ["dev"],
    when: (settings) => settings.data !== null && !chooses(settings),
    why: "nothing is chosen",
  },
  {
    paths: ["grid", "presets", "vary", "starts", "choose"],
    when: isNamed,
    why: "a table, figure or experiment has its own rows",
  },
  { paths: ["figure", "experiment"], when: ({ table }) => table !== null, why: "table says which grid" },
  { paths: ["experiment"], when: ({ figure }) => figure !== null, why: "figure says which grid" },
  { paths: ["play.sft.coldStart"], when: () => true, why: "starts and the named grids say which" },
  { paths: ["presets", "vary", "starts"], when: ({ grid }) => grid !== null, why: "grid has them" },
];

/** A `--set` of a setting that is training's and not this command's is what rows differ in. */
export function resolveAblate(sources: ConfigSources): AblateSettings {
  const isOwn = (text: string) => Object.hasOwn(ablateSettings.shape, text.split(/[.=]/, 1)[0]!);
  const { overrides = [], flags = [] } = sources;
  const moved = overrides
    .filter((text) => !isOwn(text))
    .map((text) => ({ path: "vary", flag: "--set", texts: [text] }));
  // The commas of a value are its own: as a list of one it is taken as it is.
  const whole = [...flags, ...moved].map((flag) =>
    flag.path === "vary" ? { ...flag, texts: flag.texts.map((text) => JSON.stringify([text])) } : flag,
  );
  const varied = whole.filter(({ path }) => path === "vary");
  const others = whole.filter(({ path }) => path !== "vary");
  const joined = varied.length === 0 ? [] : [{ ...varied[0]!, texts: varied.flatMap(({ texts }) => texts) }];
  return resolveConfig(
    ablateSettings,
    { ...sources, overrides: overrides.filter(isOwn), flags: [...others, ...joined] },
    ablateIdle,
  );
}
