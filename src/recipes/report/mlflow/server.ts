// A run put onto a tracking server: made anew, filled, and ended; only then what an earlier export left is deleted in MLflow's sense (it can
// be restored). So nothing is ever missing, and what a broken export left goes with the next one. A run is known there by a tag.
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { z } from "zod";
import { OppoError } from "../../../error.ts";
import { experimentName, type MlflowRun } from "./mlflow-run.ts";
import { type MlflowServer, ServerRefusal } from "./rest.ts";

export interface ServerExport {
  /** The run's page. */
  readonly page: string;
  readonly runId: string;
  readonly experimentId: string;
  readonly numMetrics: number;
  readonly numParams: number;
  /** Runs of earlier exports, deleted. */
  readonly numReplaced: number;
}

/** Holds a hash of machine and folder: on a server that many write to, the same path is somebody else's on another machine. */
const placeTag = "oppo.place";
const placeLetters = 32;
/** MLflow's limits of one request. */
const most = { metrics: 1000, params: 100, tags: 100 } as const;
/** Below 1 MB, with room for what surrounds the items. */
const maxBatchBytes = 900_000;
/** More than one is there only where exports broke off; the rest goes next time. */
const mostEarlier = 20;

const experimentId = z.string().regex(/^[a-zA-Z0-9][\w-]{0,63}$/);
const runId = z.string().regex(/^[a-zA-Z0-9][\w-]{0,255}$/);
const anyReply = z.object({});
const experimentReply = z.object({
  experiment: z.object({ experiment_id: experimentId, lifecycle_stage: z.string().optional() }),
});
const createdExperiment = z.object({ experiment_id: experimentId });
const createdRun = z.object({ run: z.object({ info: z.object({ run_id: runId }) }) });
const tagList = z.array(z.object({ key: z.string(), value: z.string().optional() }));
const foundRuns = z.object({
  runs: z
    .array(z.object({ info: z.object({ run_id: runId }), data: z.object({ tags: tagList.optional() }).optional() }))
    .optional(),
});

/** @throws OppoError ERR_EXPORT_SERVER */
export async function exportToServer(run: MlflowRun, server: MlflowServer): Promise<ServerExport> {
  const home = await findExperiment(server);
  const place = createHash("sha256").update(`${hostname()}\0${run.path}`).digest("hex").slice(0, placeLetters);
  const earlier = await findRuns(server, home, place);
  const made = await server.ask({
    path: "runs/create",
    reply: createdRun,
    body: {
      experiment_id: home,
      run_name: run.name,
      start_time: run.startTime,
      tags: [{ key: placeTag, value: place }],
    },
    once: true,
  });
  const id = made.run.info.run_id;
  try {
    await fill(server, id, run, place);
    for (const old of earlier) await server.ask({ path: "runs/delete", reply: anyReply, body: { run_id: old } });
  } catch (error) {
    if (!(error instanceof OppoError)) throw error;
    throw new OppoError(
      error.code,
      `${error.message} What there is of run ${id} by now goes when the run is exported again.`,
      { cause: error },
    );
  }
  return {
    page: `${server.address}/#/experiments/${home}/runs/${id}`,
    runId: id,
    experimentId: home,
    numMetrics: run.metrics.size,
    numParams: run.params.size,
    numReplaced: earlier.length,
  };
}

/** The experiment's id; it is made where there is none. */
async function findExperiment(server: MlflowServer): Promise<string> {
  try {
    return await experimentByName(server);
  } catch (error) {
    if (!isRefusal(error, "RESOURCE_DOES_NOT_EXIST")) throw error;
  }
  try {
    const body = { name: experimentName };
    return (await server.ask({ path: "experiments/create", reply: createdExperiment, body })).experiment_id;
  } catch (error) {
    // Somebody else made it meanwhile, or the first try of ours had been heard.
    if (!isRefusal(error, "RESOURCE_ALREADY_EXISTS")) throw error;
    return await experimentByName(server);
  }
}

async function experimentByName(server: MlflowServer): Promise<string> {
  const query = { experiment_name: experimentName };
  const { experiment } = await server.ask({ path: "experiments/get-by-name", reply: experimentReply, query });
  if (experiment.lifecycle_stage !== "deleted") return experiment.experiment_id;
  throw new OppoError(
    "ERR_EXPORT_SERVER",
    `${server.address}: expected an experiment "${experimentName}", got one that was deleted. Bring it back: mlflow experiments restore --experiment-id ${experiment.experiment_id}.`,
  );
}

function isRefusal(error: unknown, refusal: string): boolean {
  return error instanceof ServerRefusal && error.refusal === refusal;
}

/** Runs that stand for the same folder. What a server finds is looked at: one that did not heed the filter would have others deleted. */
async function findRuns(server: MlflowServer, home: string, place: string): Promise<string[]> {
  const { runs = [] } = await server.ask({
    path: "runs/search",
    reply: foundRuns,
    body: {
      experiment_ids: [home],
      filter: `tags.\`${placeTag}\` = '${place}'`,
      run_view_type: "ACTIVE_ONLY",
      max_results: mostEarlier,
    },
  });
  const own = runs.filter(({ data }) => data?.tags?.some(({ key, value }) => key === placeTag && value === place));
  return own.map(({ info }) => info.run_id);
}

async function fill(server: MlflowServer, id: string, run: MlflowRun, place: string): Promise<void> {
  const { status, endTime, name } = run;
  const log = (items: object) =>
    server.ask({ path: "runs/log-batch", reply: anyReply, body: { run_id: id, ...items } });
  for (const params of batches(pairs(run.params), most.params)) await log({ params });
  const tags = new Map([...run.tags, [placeTag, place]]);
  for (const some of batches(pairs(tags), most.tags)) await log({ tags: some });
  for (const metrics of batches(points(run), most.metrics)) await log({ metrics });
  const end = endTime === null ? {} : { end_time: endTime };
  await server.ask({ path: "runs/update", reply: anyReply, body: { run_id: id, status, run_name: name, ...end } });
}

function* pairs(texts: ReadonlyMap<string, string>): Generator<object> {
  for (const [key, value] of texts) yield { key, value };
}

function* points({ metrics }: MlflowRun): Generator<object> {
  for (const [key, list] of metrics) for (const point of list) yield { key, ...point };
}

/** The items in requests that MLflow takes: so many, and not too long as JSON. */
function* batches(items: Iterable<object>, maxItems: number): Generator<object[]> {
  let batch: object[] = [];
  let numBytes = 0;
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item), "utf8") + 1;
    if (batch.length === maxItems || (batch.length > 0 && numBytes + size > maxBatchBytes)) {
      yield batch;
      batch = [];
      numBytes = 0;
    }
    batch.push(item);
    numBytes += size;
  }
  if (batch.length > 0) yield batch;
}
