// What is served, by name: the model, and adapters over it.
import type { Hono } from "hono";
import type { ServerContext } from "../../http/app.ts";
import { requireModel } from "../chat-call.ts";
import type { ServedAdapters } from "./served-adapters.ts";

export interface ServedModel {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly maxContext: number;
}

export function addModelRoutes(
  app: Hono<ServerContext>,
  { id, created, maxContext }: ServedModel,
  adapters: ServedAdapters,
) {
  const model = { id, object: "model", created, owned_by: "oppo", max_model_len: maxContext };
  const all = () => [model, ...adapters.entries().map(([name, root]) => ({ ...model, id: name, root, parent: id }))];
  app.get("/v1/models", (c) => c.json({ object: "list", data: all() }));
  app.get("/v1/models/:name", (c) => {
    const name = c.req.param("name");
    const found = all().find((one) => one.id === name);
    if (found === undefined) requireModel(name, id);
    return c.json(found ?? model);
  });
}
