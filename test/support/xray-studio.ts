// A studio over one run of a small theatre with a very small model, as the tests of the X-ray ask it.
import { cpSync } from "node:fs";
import { join } from "node:path";
import type { ModelList, RunList, SampleList } from "../../src/serve/studio/api.ts";
import { type StudioServer, serveStudio } from "../../src/serve/studio/serve-studio.ts";
import { type SmallTheatre, smallTheatre } from "./small-theatre.ts";
import { makeRun } from "./studio-runs.ts";

export interface XrayStudio {
  readonly theatre: SmallTheatre;
  readonly server: StudioServer;
  readonly run: string;
  readonly model: string;
  /** Of the run's samples. */
  readonly ids: readonly string[];
  close(): Promise<void>;
}

/** Three clips; the run is "mine", the token "t". */
export async function openXrayStudio(): Promise<XrayStudio> {
  const theatre = await smallTheatre(3);
  const runs = join(theatre.root, "runs");
  const path = makeRun(runs, "mine", { steps: 2, data: theatre.samplesFile });
  cpSync(theatre.freshModel(1), join(path, "model"), { recursive: true });
  const server = await serveStudio({
    folders: [runs],
    host: "127.0.0.1",
    port: 0,
    token: "t",
    command: null,
    log: () => undefined,
  });
  const headers = { authorization: "Bearer t" };
  const get = async <T>(address: string) => (await (await fetch(server.address + address, { headers })).json()) as T;
  const run = (await get<RunList>("/api/runs")).runs[0]!.id;
  const model = (await get<ModelList>("/api/models")).models[0]!.id;
  const { ids } = await get<SampleList>(`/api/runs/${run}/samples`);
  return {
    ...{ theatre, server, run, model, ids },
    close: async () => {
      await server.close();
      theatre[Symbol.dispose]();
    },
  };
}
