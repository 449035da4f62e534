// The routes of the X-ray: a question's answer, and a comparison's figures, as server-sent events while they come.
import type { Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { z } from "zod";
import { ownKinds } from "../../../media/degrade/degrade.ts";
import type { ServerContext } from "../../http/app.ts";
import { asHttpError, errorBody, fieldError, HttpError } from "../../http/http-error.ts";
import { BodyReader } from "../../http/read-json.ts";
import type { DroppedList, ModelList } from "../api.ts";
import { mediaResponse } from "../media-response.ts";
import { maxEngines } from "./engines.ts";
import { goneError, type Xray } from "./xray.ts";

const maxBodyBytes = 1 << 20;
const maxMasks = 16;
const maxChanges = 512;
const maxTokens = 4096;
const maxQuestionLetters = 8000;

const maxGrid = 64;
const maxHertz = 1_000_000;

/** Those that need no other clip, and that can be put on a part: "features" masks what a processor makes of the whole sound. */
const kinds = { video: ownKinds.video, audio: ownKinds.audio.filter((kind) => kind !== "features") };
const hertz = z.number().min(0).max(maxHertz);
const paintedSchema = z.strictObject({
  columns: z.int().min(1).max(maxGrid),
  rows: z.int().min(1).max(maxGrid),
  cells: z
    .array(
      z
        .int()
        .min(0)
        .max(maxGrid ** 2 - 1),
    )
    .max(maxGrid ** 2),
});
const bandSchema = z
  .strictObject({ lowHz: hertz, highHz: hertz })
  .refine(({ lowHz, highHz }) => lowHz <= highHz, "ends before it begins");
const share = z.number().min(0).max(1);
const partSchema = z
  .strictObject({
    ...{ from: share, to: share, left: share, top: share, right: share, bottom: share },
    ...{ painted: paintedSchema.optional(), band: bandSchema.optional() },
  })
  .refine(
    ({ from, to, left, right, top, bottom }) => from <= to && left <= right && top <= bottom,
    "ends before it begins",
  );
const maskSchema = z
  .strictObject({
    modality: z.enum(["video", "audio"]),
    kind: z.string().max(40),
    ratio: share,
    seed: z.int().min(0),
    part: partSchema.optional(),
  })
  .refine(({ modality, kind }) => kinds[modality].includes(kind), "no such kind of mask");
const name = z.string().min(1).max(1000);
const changeSchema = z.strictObject({ swap: name.nullable(), masks: z.array(maskSchema).max(maxMasks) });
const asked = { model: name, run: name, sample: name };
const droppedQuery = z.object({ name });
/** A browser's player asks by an address alone. */
const shownQuery = z.object({ question: z.string().max(maxQuestionLetters) });
const questionSchema = z.strictObject({ ...asked, change: changeSchema });
const comparisonSchema = z.strictObject({
  ...asked,
  completion: z.array(z.int().min(0)).min(1).max(maxTokens),
  changes: z.array(changeSchema).min(1).max(maxChanges),
});

export function addXrayRoutes(app: Hono<ServerContext>, xray: Xray): void {
  const bodies = new BodyReader(maxBodyBytes);
  app.get("/api/models", (c) => {
    const list: ModelList = { models: xray.models(), kinds, maxModels: maxEngines };
    return c.json(list);
  });
  app.get("/api/xray/clips", (c) => c.json({ clips: xray.dropped.list() } satisfies DroppedList));
  app.get("/api/xray/clips/:id", (c) => {
    const file = xray.dropped.find(c.req.param("id"));
    const response = file === null ? null : mediaResponse(file.path, file.type, c.req.header("range"));
    if (response !== null) return response;
    throw new HttpError(404, "ERR_STUDIO_CLIP", "clip: expected one that was dropped in, got none. Drop it in again.");
  });
  app.post("/api/xray/clips", async (c) => {
    const { name } = checked(droppedQuery, c.req.query());
    return c.json(await xray.dropped.take(name, c.env.incoming));
  });
  app.get("/api/xray/shown", async (c) => {
    const { question } = checked(shownQuery, c.req.query());
    const gone = new AbortController();
    c.env.outgoing.on("close", () => gone.abort(goneError()));
    const { path, type } = await xray.shown(checked(questionSchema, parsed(question)), gone.signal);
    const response = mediaResponse(path, type, c.req.header("range"));
    if (response !== null) return response;
    throw new HttpError(404, "ERR_STUDIO_CLIP", "clip: expected what the model gets, got none. Ask again.");
  });
  app.post("/api/xray/ask", async (c) => {
    const question = checked(questionSchema, await bodies.json(c.env.incoming));
    return told(c, async (tell, gone) =>
      tell("done", await xray.ask(question, { onDelta: (text) => tell("delta", { text }) }, gone)),
    );
  });
  app.post("/api/xray/compare", async (c) => {
    const comparison = checked(comparisonSchema, await bodies.json(c.env.incoming));
    return told(c, async (tell, gone) => {
      await xray.compare(comparison, { onCompared: (change, nats) => tell("compared", { change, nats }) }, gone);
      tell("done", {});
    });
  });
}

/** @throws HttpError ERR_REQUEST_FIELD (400) */
function checked<S extends z.ZodObject>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw fieldError(path.join(".") || "body", "what docs/studio.md says of it", message, "Mend the request.");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

type Tell = (event: string, data: unknown) => void;

/** What comes in the end is "done" or "failed"; a client that goes away ends the work. */
function told(c: Context<ServerContext>, work: (tell: Tell, gone: AbortSignal) => Promise<void>): Response {
  const gone = new AbortController();
  c.env.outgoing.on("close", () => gone.abort());
  return streamSSE(c, async (stream) => {
    let sending = Promise.resolve();
    const tell: Tell = (event, data) => {
      sending = sending.then(() => stream.writeSSE({ event, data: JSON.stringify(data) })).catch(() => gone.abort());
    };
    try {
      await work(tell, gone.signal);
    } catch (error) {
      if (!gone.signal.aborted) tell("failed", errorBody(asHttpError(error)));
    }
    await sending;
  });
}
