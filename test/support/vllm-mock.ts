// A server that speaks vLLM's shapes, and its faults: real answers come from our own server behind it, which it passes on as vLLM would.
import { existsSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, dirname, join } from "node:path";
import { openSafetensors } from "../../src/tensor/index.ts";

export interface ChatReply {
  prompt_token_ids?: number[] | null;
  choices: {
    index: number;
    finish_reason: string;
    token_ids?: number[] | null;
    logprobs?: {
      content?: { token: string; logprob: number; top_logprobs: { token: string; logprob: number }[] }[] | null;
    } | null;
  }[];
}

/** What it does otherwise than a server that works. */
export interface Faults {
  /** Statuses of the next completions, in place of an answer. */
  readonly statuses?: number[];
  /** Completions that are cut off in the middle of the body. */
  halfClosed?: number;
  /** Completions that take longer than anybody waits. */
  slow?: number;
  /** Changes an answer. @param isProbe one token was asked for */
  readonly reply?: (reply: ChatReply, isProbe: boolean) => void;
  /** The model that answers in the place of the one that was asked for. */
  readonly model?: (name: string) => string;
  /** Of the clock, in milliseconds. */
  readonly clock?: number;
  /** The body of /v1/models. */
  readonly models?: string;
  /** Whether it reads weights again. */
  readonly isInDevelopment?: boolean;
  /** What it says of an adapter that it cannot use, with status 500. */
  readonly adapterTrouble?: string;
  /** Whether adapters can be loaded at all. */
  readonly hasNoAdapters?: boolean;
}

export interface VllmMock extends AsyncDisposable {
  readonly address: string;
  /** "METHOD path" of what was asked. */
  readonly calls: string[];
  /** Bodies of completions. */
  readonly asked: Record<string, unknown>[];
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** @param behind the address of our own server, whose model is called "policy" */
export async function vllmMock(behind: string, faults: Faults = {}): Promise<VllmMock> {
  const calls: string[] = [];
  const asked: Record<string, unknown>[] = [];
  const loaded = new Set<string>();
  const forward = async (path: string, method: string, body?: unknown) => {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const headers = { "content-type": "application/json" };
    return await fetch(`${behind}${path}`, { method, headers, ...init });
  };
  const fail = (out: ServerResponse, status: number, message: string) =>
    void out.writeHead(status).end(JSON.stringify({ error: { message, type: "BadRequestError", code: status } }));
  const server = createServer(async (incoming, out) => {
    const { method = "GET", url = "/" } = incoming;
    const text = await bodyOf(incoming);
    const body = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
    calls.push(`${method} ${url}`);
    out.setHeader("date", new Date(Date.now() + (faults.clock ?? 0)).toUTCString());
    if (url === "/v1/models") {
      const base = { id: "policy", object: "model", owned_by: "vllm", root: "/models/policy", parent: null };
      const adapters = [...loaded].map((id) => ({ ...base, id, parent: "policy" }));
      return void out.end(faults.models ?? JSON.stringify({ object: "list", data: [base, ...adapters] }));
    }
    if (url === "/v1/load_lora_adapter" && faults.hasNoAdapters !== true) {
      const { lora_name: name, lora_path: path } = body as { lora_name: string; lora_path: string };
      if (faults.adapterTrouble !== undefined) return fail(out, 500, faults.adapterTrouble);
      if (loaded.has(name)) return fail(out, 400, `The lora adapter '${name}' has already been loaded.`);
      if (!namesWholeModel(path)) return fail(out, 400, `Unexpected modules in ${path}`);
      const response = await forward(url, "POST", { lora_name: name, lora_path: dirname(path), load_inplace: true });
      if (response.ok) loaded.add(name);
      return void out.writeHead(response.status).end(await response.text());
    }
    if (url === "/v1/unload_lora_adapter" && faults.hasNoAdapters !== true) {
      loaded.delete(body.lora_name as string);
      const response = await forward(url, "POST", body);
      return void out.writeHead(response.status).end(await response.text());
    }
    if (url === "/collective_rpc" && faults.isInDevelopment === true) {
      const { method: what, kwargs } = body as { method: string; kwargs: { weights_path: string } };
      if (what !== "reload_weights") return fail(out, 500, `no method ${what}`);
      const path = kwargs.weights_path;
      for (const [call, sent] of [
        ["/init_weight_transfer_engine", { init_info: {} }],
        ["/start_weight_update", {}],
        ["/update_weights", { update_info: { path } }],
        ["/finish_weight_update", {}],
      ] as const) {
        const response = await forward(call, "POST", sent);
        if (!response.ok) return void out.writeHead(response.status).end(await response.text());
      }
      return void out.end(JSON.stringify({ results: [null] }));
    }
    if (url.startsWith("/reset_") && faults.isInDevelopment === true) return void out.end();
    if (url !== "/v1/chat/completions") return fail(out, 404, "Not Found");
    const isProbe = body.max_tokens === 1;
    asked.push(body);
    // vLLM knows one seed.
    if (body.seeds !== undefined) return fail(out, 400, "seeds");
    if (!isProbe) {
      const status = faults.statuses?.shift();
      if (status !== undefined) return fail(out, status, "the engine is gone");
      if ((faults.slow ?? 0) > 0) {
        faults.slow!--;
        return;
      }
    }
    const { model } = body as { model: string };
    const response = await forward(url, "POST", { ...body, model: faults.model?.(model) ?? model });
    const answer = await response.text();
    if (!response.ok) return void out.writeHead(response.status).end(answer);
    if (!isProbe && (faults.halfClosed ?? 0) > 0) {
      faults.halfClosed!--;
      out.writeHead(200, { "content-length": answer.length });
      out.write(answer.slice(0, answer.length / 2), () => out.destroy());
      return;
    }
    const reply = JSON.parse(answer) as ChatReply;
    faults.reply?.(reply, isProbe);
    out.end(JSON.stringify(reply));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    calls,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** vLLM knows layers by their names in the whole omni model. */
function namesWholeModel(path: string): boolean {
  const file = join(path, "adapter_model.safetensors");
  if (basename(path) !== "whole" || !existsSync(file)) return false;
  using opened = openSafetensors(file);
  return [...opened.entries.keys()].every((name) => name.startsWith("base_model.model.thinker.model.layers."));
}
