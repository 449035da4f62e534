// A run of the method on a very small theatre whose completions come from a server of vLLM's shapes, faults included.
import { join } from "node:path";
import { after, before } from "node:test";
import type { FittedSample } from "../../src/corpus/clips/fitted-samples.ts";
import { loadModel } from "../../src/models/registry.ts";
import type { ModelServer } from "../../src/serve/model/serve-model.ts";
import { startServer } from "../serve/served-model.ts";
import { type ServedRun, servedRun } from "./served-run.ts";
import { fitAll, type SmallTheatre, smallTheatre } from "./small-theatre.ts";
import { type ChatReply, type Faults, vllmMock } from "./vllm-mock.ts";

/** Opens what a file of tests needs before them, and closes it after them. */
export function mockedRuns() {
  let theatre: SmallTheatre;
  let fitted: FittedSample[];
  let model: string;
  let behind: ModelServer;
  let numRuns = 0;
  before(async () => {
    theatre = await smallTheatre(3);
    model = theatre.freshModel(1);
    using fitting = await loadModel(model);
    fitted = await fitAll(theatre, fitting);
    behind = await startServer(model, { name: "policy", allowWeights: theatre.root, maxAdapters: 8 });
  });
  after(async () => {
    await behind.close();
    theatre[Symbol.dispose]();
  });
  const run = async (address: string, more: Partial<ServedRun> = {}) => {
    const directory = join(theatre.root, `run-${numRuns++}`);
    const notices: string[] = [];
    const own = { directory, model, fitted, addresses: [address], overrides: plainOverrides, steps: 2, notices };
    return { ...(await servedRun({ ...own, ...more })), notices };
  };
  return {
    run,
    /** Through a mock that has them. */
    async withFaults(faults: Faults, more: Partial<ServedRun> = {}) {
      await using mock = await vllmMock(behind.address, faults);
      return await run(mock.address, more);
    },
    /** There once the tests run. */
    opened: () => ({ theatre, fitted, model, behind }),
  };
}

/** Servers that sample as this process does are not corrected. */
export const plainOverrides = ["rolloutCorrection=none"];

type Choice = ChatReply["choices"][number];

/** Changes the answers to prompts of the run, and leaves those to the probe. */
export const inChoices = (change: (choice: Choice) => void): Faults => ({
  reply: (reply, isProbe) => {
    if (!isProbe) for (const choice of reply.choices) change(choice);
  },
});
