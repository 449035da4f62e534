// A small model behind its server, and what a client sends it: what the tests of the model server share.
import { readFileSync } from "node:fs";
import OpenAI from "openai";
import { wavBytes } from "../../src/media/encode/wav.ts";
import { type ModelServer, type ServeModelOptions, serveModel } from "../../src/serve/model/serve-model.ts";

export async function startServer(
  directory: string,
  options: Partial<ServeModelOptions> = {},
): Promise<ModelServer & { readonly log: string[] }> {
  const log: string[] = [];
  const server = await serveModel({
    directory,
    name: null,
    host: "127.0.0.1",
    port: 0,
    token: null,
    device: null,
    dtype: null,
    maxContext: 32768,
    maxBatchTokens: 131072,
    mediaCacheBytes: 1 << 26,
    maxNewTokens: 2048,
    maxBatch: 16,
    maxQueue: 64,
    maxJobSeconds: 60,
    maxBodyBytes: 16 << 20,
    allowedMediaFolder: null,
    allowsFetch: false,
    allowWeights: null,
    maxAdapters: 4,
    maxLoraRank: 16,
    logprobsMode: "raw_logprobs",
    log: (line) => log.push(line),
    ...options,
  });
  return Object.assign(server, { log });
}

export function clientOf(server: ModelServer, apiKey = "none"): OpenAI {
  return new OpenAI({ baseURL: `${server.address}/v1`, apiKey, maxRetries: 0, timeout: 60_000 });
}

export type Body = OpenAI.ChatCompletionCreateParamsNonStreaming;

export function textPart(text: string) {
  return { type: "text", text };
}

export function videoPart(file: string) {
  const data = readFileSync(file).toString("base64");
  return { type: "video_url", video_url: { url: `data:video/mp4;base64,${data}` } };
}

export function audioPart(waveform: Float32Array) {
  return {
    type: "input_audio",
    input_audio: { data: Buffer.from(wavBytes(waveform, 16000)).toString("base64"), format: "wav" },
  };
}

/** One POST as it is. */
export async function post(
  address: string,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; headers: Headers; body: { error?: { code: string; message: string } } }> {
  const response = await fetch(address, {
    method: "POST",
    body: body as string,
    headers: { "content-type": "application/json", ...headers },
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as never };
}

/** Looks until something is so. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, seconds = 20): Promise<void> {
  const end = Date.now() + 1000 * seconds;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`waited for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
