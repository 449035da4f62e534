// The routes by which a trainer gives a server new weights, in vLLM's shapes: adapters by name, and the whole model from a
// folder. What is asked for takes its place between two batches.
import type { Context, Hono } from "hono";
import { z } from "zod";
import type { ServerContext } from "../../http/app.ts";
import { HttpError } from "../../http/http-error.ts";
import type { BodyReader } from "../../http/read-json.ts";
import { issueError } from "../body-issue.ts";
import type { Engine } from "../engine.ts";
import { allowedWeights } from "./allowed-folder.ts";
import type { ServedAdapters } from "./served-adapters.ts";

const text = z.string().min(1).max(4096);
const loadSchema = z.looseObject({ lora_name: text, lora_path: text, load_inplace: z.boolean().nullish() });
const unloadSchema = z.looseObject({ lora_name: text });
const initSchema = z.looseObject({ init_info: z.looseObject({}) });
const updateSchema = z.looseObject({ update_info: z.looseObject({ path: text }) });

export interface WeightRoutes {
  readonly engine: Engine;
  readonly adapters: ServedAdapters;
  readonly allowedFolder: string | null;
  readonly bodies: BodyReader;
}

export function addWeightRoutes(app: Hono<ServerContext>, routes: WeightRoutes): void {
  const { engine, adapters, allowedFolder, bodies } = routes;
  const read = async <T>(c: Context<ServerContext>, schema: z.ZodType<T>): Promise<T> => {
    const body = await bodies.json(c.env.incoming);
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    throw issueError(parsed.error.issues[0]!, body);
  };
  app.post("/v1/load_lora_adapter", async (c) => {
    const { lora_name: name, lora_path: path, load_inplace: inPlace } = await read(c, loadSchema);
    await adapters.load(name, path, inPlace ?? false);
    return c.text(`Success: LoRA adapter '${name}' added successfully.`);
  });
  app.post("/v1/unload_lora_adapter", async (c) => {
    const { lora_name: name } = await read(c, unloadSchema);
    await adapters.unload(name);
    return c.text(`Success: LoRA adapter '${name}' removed successfully.`);
  });
  // An update of the whole model is begun, given a folder, finished.
  let state: "none" | "begun" | "given" = "none";
  app.post("/init_weight_transfer_engine", async (c) => {
    await read(c, initSchema);
    if (allowedFolder === null) allowedWeights("", null, "init_info");
    return c.json({ message: "Weight transfer initialized" });
  });
  app.post("/start_weight_update", (c) => {
    if (allowedFolder === null) allowedWeights("", null, "body");
    state = "begun";
    return c.json({ message: "Weight update started" });
  });
  app.post("/update_weights", async (c) => {
    const { update_info: info } = await read(c, updateSchema);
    const path = allowedWeights(info.path, allowedFolder, "update_info.path");
    if (state !== "begun") throw outOfOrder("a POST to /start_weight_update before this one");
    state = "none";
    await engine.change({ kind: "replace", path });
    state = "given";
    return c.json({ message: "Weights updated" });
  });
  app.post("/finish_weight_update", (c) => {
    if (state !== "given") throw outOfOrder("a POST to /update_weights before this one");
    state = "none";
    return c.json({ message: "Weight update finished" });
  });
}

function outOfOrder(expected: string): HttpError {
  return new HttpError(400, "ERR_WEIGHTS", `weight update: expected ${expected}, got none. Begin again.`);
}
