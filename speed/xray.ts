// How soon a model says its first new word when somebody changes the mask in the studio's X-ray: over HTTP, as the page asks. Every
// mask is another one, so that no answer was prepared before. Three ways in turn: the answer alone; beside the page's comparison of
// the first answer; and while a map of what a clause hangs on is being made, which a new answer must not wait for.
// Usage: npm run bench:xray -- [--runs runs/demo] [--model oppo] [--rounds 10] [--json]
import type { ChangeView, ModelList, RunList, SampleList, XrayAnswer } from "../src/serve/studio/api.ts";
import { serveStudio } from "../src/serve/studio/serve-studio.ts";
import { readOptions } from "./support/options.ts";

const promisedMilliseconds = 1000;
const token = "bench";
const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
const ways = ["alone", "beside the comparison", "while a map is made"] as const;
/** As the page's map: cells of the picture and pieces of the sound. */
const numInMap = 48;
const settleMilliseconds = 500;

const options = readOptions("bench:xray", "Milliseconds from a changed mask to the first new word.", {
  runs: { help: "a folder of runs with models and clips", value: "folder", default: "runs/demo" },
  model: { help: "part of a model's name", value: "text", default: "oppo" },
  rounds: { help: "masks of each way", value: "n", default: "10" },
});

const server = await serveStudio({
  ...{ folders: [options.runs], host: "127.0.0.1", port: 0, token, command: null },
  log: console.error,
});

async function get<T>(path: string): Promise<T> {
  return (await (await fetch(server.address + path, { headers })).json()) as T;
}

/** The milliseconds to each event of a kind, and the last one's data. */
async function post(path: string, body: unknown, kind: string, signal?: AbortSignal) {
  const start = performance.now();
  const init = { method: "POST", headers, body: JSON.stringify(body), ...(signal && { signal }) };
  const response = await fetch(`${server.address}/api/xray/${path}`, init);
  const times: number[] = [];
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    if (chunk.includes(`event: ${kind}`)) times.push(performance.now() - start);
    text += chunk;
  }
  const [, event, data] = /event: (\w+)\ndata: (.*)\n\n$/.exec(text) ?? [];
  if (event !== "done") throw new Error(`${path}: expected an answer, got ${text.slice(0, 300)}`);
  return { times, data: JSON.parse(data!) as unknown };
}

function masked(kind: "video" | "audio", ratio: number): ChangeView {
  const part = { from: 0, to: 1, left: 0, top: 0, right: 1, bottom: 1 };
  const mask = { modality: kind, kind: kind === "video" ? "grey" : "quiet", ratio, seed: 0, part };
  return { swap: null, masks: [mask] };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

try {
  const { runs } = await get<RunList>("/api/runs");
  const run = runs.find(({ shape, hasRollouts }) => shape === "train" && hasRollouts)?.id;
  const { models } = await get<ModelList>("/api/models");
  const model = models.find(({ name }) => name.includes(options.model))?.id;
  if (run === undefined || model === undefined) throw new Error("expected a run with rollouts and such a model");
  const { ids } = await get<SampleList>(`/api/runs/${run}/samples?limit=1`);
  const place = { model, run, sample: ids[0] };
  const { data, times } = await post("ask", { ...place, change: { swap: null, masks: [] } }, "delta");
  const completion = (data as XrayAnswer).ids;
  const first: Record<(typeof ways)[number], number[]> = {
    alone: [],
    "beside the comparison": [],
    "while a map is made": [],
  };
  const rounds = Number(options.rounds);
  for (let round = 0; round < rounds; round++) {
    for (const [i, way] of ways.entries()) {
      const change = masked(
        round % 2 === 0 ? "video" : "audio",
        (1 + round * ways.length + i) / (2 + rounds * ways.length),
      );
      const changes = way === "alone" ? [] : Array.from({ length: way === ways[1] ? 1 : numInMap }, () => change);
      const gone = new AbortController();
      const beside = post("compare", { ...place, completion, changes }, "compared", gone.signal).catch(() => null);
      if (way === ways[2]) await new Promise((resolve) => setTimeout(resolve, 50));
      const answer = await post("ask", { ...place, change }, "delta");
      first[way].push(answer.times[0]!);
      gone.abort();
      await beside;
      // What ran when nobody waited for it any more ends first.
      await new Promise((resolve) => setTimeout(resolve, settleMilliseconds));
    }
  }
  const rows = ways.map((way) => ({ way, median: median(first[way]), slowest: Math.max(...first[way]) }));
  if (options.json) console.log(JSON.stringify({ loading: times[0], rows }));
  else {
    console.log(`with the model's loading: ${Math.round(times[0]!)} ms`);
    for (const { way, median, slowest } of rows) {
      console.log(`${way.padEnd(24)} median ${Math.round(median)} ms, slowest ${Math.round(slowest)} ms`);
    }
    console.log(`promised: ${promisedMilliseconds} ms for a tiny model`);
  }
} finally {
  await server.close();
}
process.exit(0);
