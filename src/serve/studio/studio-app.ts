// The routes of `oppo studio`: the page's files, and the JSON that docs/studio.md describes.
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { z } from "zod";
import { createApp, type ServerContext } from "../http/app.ts";
import type { Counters } from "../http/counters.ts";
import { fieldError, HttpError } from "../http/http-error.ts";
import { rolloutOrders } from "./api.ts";
import type { Changes } from "./changes.ts";
import type { RunControl } from "./control.ts";
import type { Corpora } from "./data/corpora.ts";
import { addCorpusRoutes } from "./data/corpus-routes.ts";
import { entry } from "./entry.ts";
import { mediaResponse } from "./media-response.ts";
import type { PageFile } from "./page-files.ts";
import type { Studio } from "./studio.ts";
import type { Xray } from "./xray/xray.ts";
import { addXrayRoutes } from "./xray/xray-routes.ts";

export interface StudioAppOptions {
  readonly studio: Studio;
  readonly changes: Changes;
  readonly xray: Xray;
  readonly corpora: Corpora;
  /** null: the page may not stop or start anything. */
  readonly control: RunControl | null;
  readonly pageFiles: ReadonlyMap<string, PageFile>;
  readonly token: string;
  readonly host: string;
  readonly port: () => number;
  readonly counters: Counters;
  readonly onFault: (error: unknown) => void;
  /** Told when somebody opens the page. */
  readonly onVisit: () => void;
}

const maxNames = 64;
const maxPage = 200;
const maxWatchers = 32;
const beatMilliseconds = 15_000;

const wholeNumber = z.coerce.number().int().min(0);
const groupQuery = z.object({
  order: z.enum(rolloutOrders).default("newest"),
  since: wholeNumber.nullable().default(null),
  step: wholeNumber.nullable().default(null),
  sample: z.string().max(200).default(""),
  offset: wholeNumber.default(0),
  limit: wholeNumber.max(maxPage).default(20),
});
const samplesQuery = z.object({
  search: z.string().max(200).default(""),
  limit: wholeNumber.max(maxPage).default(50),
});
const seriesQuery = z.object({
  names: z.string().max(10_000),
  generation: z.string().max(100).default(""),
  from: wholeNumber.default(0),
});

export function studioApp(options: StudioAppOptions) {
  const { studio, changes, control, pageFiles, host, counters, onFault } = options;
  const health = () => ({ isHealthy: true, watchers: changes.numWatchers });
  const app = createApp({ token: null, entry: entry(options.token, options.port), host, counters, onFault, health });
  counters.gauge("resident_bytes", () => process.memoryUsage.rss());
  for (const [path, { type, bytes }] of pageFiles) {
    app.get(path, (c) => {
      if (path === "/") options.onVisit();
      return c.body(bytes, 200, { "content-type": type, "cache-control": "no-cache" });
    });
  }
  app.get("/api/runs", (c) => c.json(studio.list()));
  app.get("/api/runs/:id", async (c) => c.json(await studio.detail(c.req.param("id"))));
  app.get("/api/runs/:id/series", async (c) => {
    const { names, generation, from } = read(seriesQuery, c);
    const list = names.split(",").filter((name) => name !== "");
    if (list.length > maxNames) throw fieldError("names", `at most ${maxNames}`, String(list.length), "Ask twice.");
    return c.json(await studio.series(c.req.param("id"), list, generation, from));
  });
  app.get("/api/runs/:id/rollouts", async (c) => {
    const { offset, limit, ...query } = read(groupQuery, c);
    return c.json(await studio.groups(c.req.param("id"), query, offset, limit));
  });
  app.get("/api/runs/:id/rollouts/:line", async (c) => {
    const line = wholeNumber.safeParse(c.req.param("line"));
    if (!line.success) throw fieldError("line", "a whole number", "another", "Take it from the list.");
    return c.json(await studio.group(c.req.param("id"), line.data));
  });
  app.get("/api/runs/:id/clips/:sample/:part{media|sound}", async (c) => {
    const { path, type } = await studio.clip(
      c.req.param("id"),
      c.req.param("sample"),
      c.req.param("part") as "media" | "sound",
    );
    const response = mediaResponse(path, type, c.req.header("range"));
    if (response === null)
      throw new HttpError(404, "ERR_STUDIO_CLIP", "clip: expected a file, got none. Was it moved?");
    return response;
  });
  app.get("/api/runs/:id/samples", async (c) => {
    const { search, limit } = read(samplesQuery, c);
    return c.json(await studio.samples(c.req.param("id"), search, limit));
  });
  addXrayRoutes(app, options.xray);
  app.post("/api/runs/:id/:act{stop|start}", (c) => {
    if (control === null) {
      throw new HttpError(
        403,
        "ERR_STUDIO_CONTROL",
        "control: expected a studio with --control, got one without. Start it so.",
      );
    }
    const place = studio.place(c.req.param("id"));
    return c.json(c.req.param("act") === "stop" ? control.stop(place) : control.start(place));
  });
  addCorpusRoutes(app, options.corpora);
  app.get("/api/changes", (c) => watched(c, changes));
  return app;
}

/** @throws HttpError ERR_REQUEST_FIELD (400) */
function read<S extends z.ZodObject>(schema: S, c: Context<ServerContext>): z.output<S> {
  const checked = schema.safeParse(c.req.query());
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0]!;
  throw fieldError(issue.path.join("."), "what docs/studio.md says of it", issue.message, "Mend the address.");
}

/** The stream of changes, with a beat that tells a page that is gone. */
function watched(c: Context<ServerContext>, changes: Changes): Response {
  if (changes.numWatchers >= maxWatchers) {
    throw new HttpError(
      429,
      "ERR_SERVER_BUSY",
      `changes: expected at most ${maxWatchers} pages that watch, got more. Close some.`,
    );
  }
  return streamSSE(c, async (stream) => {
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    stream.onAbort(end);
    const send = (event: string, data: unknown) =>
      void stream.writeSSE({ event, data: JSON.stringify(data) }).catch(end);
    const stop = changes.watch((event) => send("change", event));
    const beat = setInterval(() => send("beat", {}), beatMilliseconds);
    send("beat", {});
    await ended;
    clearInterval(beat);
    stop();
  });
}
