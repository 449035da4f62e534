// The routes of the room of data: docs/studio.md describes them.
import { Readable } from "node:stream";
import type { Context, Hono } from "hono";
import { z } from "zod";
import { acts, maxCueLength, maxNameLength } from "../../../corpus/review/decision.ts";
import type { ServerContext } from "../../http/app.ts";
import { fieldError, HttpError } from "../../http/http-error.ts";
import { BodyReader } from "../../http/read-json.ts";
import { mediaResponse } from "../media-response.ts";
import type { Corpora } from "./corpora.ts";
import { sampleOrders } from "./data-api.ts";

const maxBodyBytes = 1 << 16;
const maxPage = 100;
const wholeNumber = z.coerce.number().int().min(0);
const annotator = z.string().trim().max(maxNameLength).default("");
const cue = z.strictObject({
  kind: z.enum(["video", "audio", "emotion"]),
  text: z.string().trim().min(1).max(maxCueLength),
});
const requestSchema = z.strictObject({
  id: z.string(),
  by: z.string(),
  sample: z.string().optional(),
  act: z.enum(acts),
  cue: cue.optional(),
  to: cue.optional(),
});
const pageQuery = z.object({
  by: annotator,
  order: z.enum(sampleOrders).default("doubtful"),
  search: z.string().max(200).default(""),
  at: wholeNumber.nullable().default(null),
  offset: wholeNumber.default(0),
  limit: wholeNumber.max(maxPage).default(24),
});
const detailQuery = z.object({ by: annotator, with: annotator });
const sampleQuery = z.object({ id: z.string().min(1).max(1000), by: annotator });
const exportQuery = z.object({ by: annotator });

export function addCorpusRoutes(app: Hono<ServerContext>, corpora: Corpora): void {
  const bodies = new BodyReader(maxBodyBytes);
  app.get("/api/corpora", (c) => c.json(corpora.list()));
  app.get("/api/corpora/:corpus", async (c) => {
    const { by, with: other } = checked(detailQuery, c.req.query());
    return c.json(await corpora.detail(c.req.param("corpus"), by === "" || other === "" ? null : [by, other]));
  });
  app.get("/api/corpora/:corpus/samples", async (c) => {
    const { offset, limit, ...query } = checked(pageQuery, c.req.query());
    return c.json(await corpora.page(c.req.param("corpus"), query, offset, limit));
  });
  app.get("/api/corpora/:corpus/sample", async (c) => {
    const { id, by } = checked(sampleQuery, c.req.query());
    return c.json(await corpora.sample(c.req.param("corpus"), id, by));
  });
  app.get("/api/corpora/:corpus/clips/:sample/:part{media|sound}", async (c) => {
    const { corpus, sample, part } = c.req.param();
    const { path, type } = await corpora.clip(corpus!, sample!, part as "media" | "sound");
    const response = mediaResponse(path, type, c.req.header("range"));
    if (response !== null) return response;
    throw new HttpError(404, "ERR_STUDIO_CLIP", "clip: expected a file, got none. Was it moved?");
  });
  app.post("/api/corpora/:corpus/decisions", async (c) => {
    const request = checked(requestSchema, await bodies.json(c.env.incoming));
    return c.json(await corpora.decide(c.req.param("corpus"), request, new Date()));
  });
  app.get("/api/corpora/:corpus/export", async (c) => exported(c, corpora, c.req.param("corpus")));
}

async function exported(c: Context<ServerContext>, corpora: Corpora, corpus: string): Promise<Response> {
  const { by } = checked(exportQuery, c.req.query());
  const { name, lines } = await corpora.export(corpus, by === "" ? null : by);
  const plain = name.replaceAll(/[^\w.-]/g, "_");
  return new Response(
    Readable.toWeb(
      Readable.from(lines, { objectMode: true }).map((line: string) => Buffer.from(line)),
    ) as ReadableStream<Uint8Array>,
    {
      headers: {
        "content-type": "application/jsonl; charset=utf-8",
        "content-disposition": `attachment; filename="${plain}"`,
      },
    },
  );
}

/** @throws HttpError ERR_REQUEST_FIELD (400) */
function checked<S extends z.ZodObject>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw fieldError(path.join(".") || "body", "what docs/studio.md says of it", message, "Mend the request.");
}
