// A tracking server that speaks MLflow's REST API as far as an export needs it, with the rules of mlflow/utils/validation.py: names, lengths,
// limits of a request, params that do not change. It misbehaves where a test says so.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

/** A refusal as it is sent, or what becomes of an answer. */
export type MlflowFault =
  | "never"
  | "cut"
  | "huge"
  | "reset"
  | { readonly status: number; readonly body: string; readonly headers?: Record<string, string> };

export interface MockMlflowRun {
  readonly id: string;
  readonly experiment: string;
  readonly name: string;
  readonly startTime: number;
  endTime: number | null;
  status: string;
  stage: "active" | "deleted";
  readonly params: Map<string, string>;
  readonly tags: Map<string, string>;
  readonly metrics: Map<string, { timestamp: number; value: number; step: number }[]>;
}

export interface MockMlflow {
  readonly address: string;
  readonly runs: MockMlflowRun[];
  readonly experiments: { id: string; name: string; stage: "active" | "deleted" }[];
  readonly requests: { readonly path: string; readonly authorization: string | undefined; readonly size: number }[];
  /** Runs that can be seen in MLflow. */
  readonly shown: () => MockMlflowRun[];
}

export interface MockMlflowOptions {
  /** What goes wrong with the n-th request (from 0) of a path. */
  readonly fault?: (path: string, n: number) => MlflowFault | null;
  /** Told before every answer. */
  readonly onRequest?: (path: string, server: MockMlflow) => void;
  readonly authorization?: string;
  /** A server that does not know the filter of runs/search. */
  readonly ignoresFilter?: boolean;
}

class Refusal extends Error {
  readonly status: number;
  readonly errorCode: string;

  constructor(errorCode: string, message: string) {
    super(message);
    this.errorCode = errorCode;
    this.status = errorCode === "RESOURCE_DOES_NOT_EXIST" ? 404 : 400;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: whatever a client sent
type Body = any;

const below = "/prefix/api/2.0/mlflow/";

export async function startMockMlflow(
  t: Pick<TestContext, "after">,
  options: MockMlflowOptions = {},
): Promise<MockMlflow> {
  const counts = new Map<string, number>();
  const server = createServer(async (incoming, outgoing) => {
    const url = new URL(incoming.url ?? "", "http://x");
    const path = url.pathname.slice(below.length);
    const text = await textOf(incoming);
    mock.requests.push({ path, authorization: incoming.headers.authorization, size: Buffer.byteLength(text) });
    const n = counts.get(path) ?? 0;
    counts.set(path, n + 1);
    options.onRequest?.(path, mock);
    const fault = options.fault?.(path, n) ?? null;
    if (fault !== null) return misbehave(outgoing, fault);
    try {
      if (!url.pathname.startsWith(below)) return outgoing.writeHead(404).end("<!doctype html><title>404</title>");
      if (options.authorization !== undefined && incoming.headers.authorization !== options.authorization)
        return outgoing.writeHead(401).end("You are not authenticated.");
      if (incoming.method === "POST" && incoming.headers["content-type"] !== "application/json")
        throw new Refusal("INVALID_PARAMETER_VALUE", "Content-Type");
      if (text.length > 1_000_000)
        throw new Refusal("INVALID_PARAMETER_VALUE", "requests must be at most 1000000 bytes");
      const query = Object.fromEntries(url.searchParams);
      answer(outgoing, 200, handle(mock, options, path, incoming.method === "GET" ? query : JSON.parse(text)));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answer(outgoing, error.status, { error_code: error.errorCode, message: error.message });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`;
  const mock: MockMlflow = {
    ...{ address, runs: [], requests: [], experiments: [{ id: "0", name: "Default", stage: "active" }] },
    shown: () => mock.runs.filter(({ stage }) => stage === "active"),
  };
  return mock;
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function answer(outgoing: ServerResponse, status: number, body: object): void {
  outgoing.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function misbehave(outgoing: ServerResponse, fault: MlflowFault): void {
  if (fault === "never") return;
  if (fault === "reset") outgoing.socket?.destroy();
  else if (fault === "cut") {
    outgoing.writeHead(200, { "content-length": "1000" }).write('{"run":');
    setTimeout(() => outgoing.socket?.destroy(), 20);
  } else if (fault === "huge") outgoing.writeHead(200).end(`{"a":"${"x".repeat(20_000_000)}"}`);
  else outgoing.writeHead(fault.status, fault.headers ?? {}).end(fault.body);
}

function handle(mock: MockMlflow, options: MockMlflowOptions, path: string, body: Body): object {
  const runOf = (id: string) =>
    mock.runs.find((run) => run.id === id) ?? refuse("RESOURCE_DOES_NOT_EXIST", `Run with id=${id} not found`);
  switch (path) {
    case "experiments/get-by-name": {
      const found = mock.experiments.find(({ name }) => name === body.experiment_name);
      if (found === undefined) return refuse("RESOURCE_DOES_NOT_EXIST", "Could not find experiment");
      return { experiment: { experiment_id: found.id, name: found.name, lifecycle_stage: found.stage } };
    }
    case "experiments/create": {
      if (mock.experiments.some(({ name }) => name === body.name)) refuse("RESOURCE_ALREADY_EXISTS", "exists");
      const id = String(mock.experiments.length);
      mock.experiments.push({ id, name: body.name, stage: "active" });
      return { experiment_id: id };
    }
    case "runs/search": {
      const [, key, value] =
        /^tags\.`([^`]+)` = '([^']+)'$/.exec(body.filter) ?? refuse("INVALID_PARAMETER_VALUE", "filter");
      const isMeant = (run: MockMlflowRun) => options.ignoresFilter === true || run.tags.get(key!) === value;
      const runs = mock.shown().filter((run) => body.experiment_ids.includes(run.experiment) && isMeant(run));
      // Without any run the field is left out, as protobuf does.
      return runs.length === 0 ? {} : { runs: runs.map((run) => ({ info: { run_id: run.id }, data: dataOf(run) })) };
    }
    case "runs/create": {
      const id = (mock.runs.length + 1).toString(16).padStart(32, "0");
      const tags = new Map<string, string>(body.tags.map(({ key, value }: Body) => [key, value]));
      mock.runs.push({
        ...{ id, experiment: body.experiment_id, name: body.run_name, startTime: body.start_time, endTime: null },
        ...{ status: "RUNNING", stage: "active", params: new Map(), tags, metrics: new Map() },
      });
      return { run: { info: { run_id: id, experiment_id: body.experiment_id, status: "RUNNING" }, data: {} } };
    }
    case "runs/log-batch":
      logBatch(runOf(body.run_id), body);
      return {};
    case "runs/update": {
      const run = runOf(body.run_id);
      run.status = body.status;
      run.endTime = body.end_time ?? null;
      return { run_info: { run_id: run.id, status: run.status } };
    }
    case "runs/delete":
      runOf(body.run_id).stage = "deleted";
      return {};
    default:
      return refuse("ENDPOINT_NOT_FOUND", path);
  }
}

function dataOf(run: MockMlflowRun): object {
  return { tags: [...run.tags].map(([key, value]) => ({ key, value })) };
}

function refuse(errorCode: string, message: string): never {
  throw new Refusal(errorCode, message);
}

function logBatch(run: MockMlflowRun, { metrics = [], params = [], tags = [] }: Body): void {
  if (
    metrics.length > 1000 ||
    params.length > 100 ||
    tags.length > 100 ||
    metrics.length + params.length + tags.length > 1000
  )
    refuse("INVALID_PARAMETER_VALUE", "A batch logging request can contain at most 1000 metrics");
  if (run.stage !== "active") refuse("INVALID_PARAMETER_VALUE", "The run must be in the 'active' state");
  for (const { key } of [...metrics, ...params, ...tags]) requireName(key);
  for (const { key, value } of params) {
    if ([...value].length > 6000 || (run.params.get(key) ?? value) !== value) refuse("INVALID_PARAMETER_VALUE", key);
    run.params.set(key, value);
  }
  for (const { key, value } of tags) {
    if ([...value].length > 5000) refuse("INVALID_PARAMETER_VALUE", key);
    run.tags.set(key, value);
  }
  for (const { key, value, timestamp, step } of metrics) {
    const isFine = typeof value === "number" && Number.isSafeInteger(timestamp) && timestamp >= 0;
    if (!isFine || !Number.isSafeInteger(step)) refuse("INVALID_PARAMETER_VALUE", `metric ${key}`);
    const list = run.metrics.get(key) ?? [];
    run.metrics.set(key, list);
    const isThere = list.some((one) => one.step === step && one.timestamp === timestamp && one.value === value);
    if (!isThere) list.push({ timestamp, value, step });
  }
}

function requireName(name: string): void {
  const isPath = name.split("/").some((step) => step === "" || step === "." || step === "..");
  if (!/^[/\w.\- ]+$/.test(name) || name.length > 250 || isPath || name.startsWith(".."))
    refuse("INVALID_PARAMETER_VALUE", `Invalid name: '${name}'`);
}
