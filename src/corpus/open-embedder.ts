// From what a person writes after --embedder to an embedder that is ready: the theatre's, one fitted on a bank, a
// Qwen3-Embedding checkpoint on our own engine, or a server. The last two are used as instruction-tuned embedders want it:
// clauses are queries with an instruction in front, cues stand alone (docs/embedders.md).
import { readFileSync } from "node:fs";
import { z } from "zod";
import { openEmbeddingClient } from "../endpoint/embedding-client.ts";
import { ReplyCache } from "../endpoint/reply-cache.ts";
import { OppoError } from "../error.ts";
import { type Concept, fitBuiltinEmbedder } from "../evidence/builtin-embedder.ts";
import type { Embedder } from "../evidence/cue.ts";
import { endpointEmbedder } from "../evidence/endpoint-embedder.ts";
import { CLAUSE_INSTRUCTION, instructClauses } from "../evidence/instructed-embedder.ts";
import { storeCues } from "../evidence/stored-embedder.ts";
import { loadTextEmbedder } from "../models/registry.ts";
import { openEmbedderProcess } from "./embedding/embedder-process.ts";
import type { EmbedderAccess, OpenedEmbedder } from "./embedding/opened-embedder.ts";
import { kindNamed } from "./kinds.ts";

export const defaultAccess: EmbedderAccess = { clauseInstruction: "auto", cacheFolder: null };

/** Clauses are short; a longer one is a model that does not stop. */
const clauseTokens = 512;

const embedderChoices = "theatre, builtin:BANK.json, qwen3:DIR or endpoint:URL#MODEL";

/**
 * @param otherChoices what the caller takes beside these, for the message: "auto, "
 * @throws OppoError ERR_EMBEDDER, ERR_BANK, CheckpointError, and those of the embedder
 */
export async function openEmbedder(
  choice: string,
  access: EmbedderAccess = defaultAccess,
  otherChoices = "",
): Promise<OpenedEmbedder> {
  const [kind, rest] = splitChoice(choice);
  const own = rest === "" ? kindNamed(kind) : null;
  if (own !== null) return plain(own.embedder(), (name) => `embedder: the ${own.name}'s (${name})`);
  if (kind === "builtin" && rest !== "") {
    const bank = readBank(rest);
    return plain(
      fitBuiltinEmbedder(bank),
      () => `embedder: built in, fitted on the ${bank.length} concepts of ${rest}`,
    );
  }
  if (kind === "qwen3" && rest !== "") {
    return access.isApart === true ? openEmbedderProcess(choice, access) : openCheckpoint(rest, access);
  }
  const [url, model] = cutAtLast(rest, "#");
  if (kind === "endpoint" && url !== "" && model !== "") return openServer(url, model, access);
  throw new OppoError(
    "ERR_EMBEDDER",
    `embedder: expected ${otherChoices}${embedderChoices}, got "${choice}". Choose one of them.`,
  );
}

function splitChoice(choice: string): [kind: string, rest: string] {
  const colon = choice.indexOf(":");
  return colon < 0 ? [choice, ""] : [choice.slice(0, colon), choice.slice(colon + 1)];
}

function cutAtLast(text: string, mark: string): [before: string, after: string] {
  const at = text.lastIndexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function plain(embedder: Embedder, note: (name: string) => string): OpenedEmbedder {
  return {
    embedder,
    isSlow: false,
    textsPerTurn: 1024,
    notes: [note(embedder.name)],
    [Symbol.dispose]: () => undefined,
  };
}

async function openCheckpoint(directory: string, access: EmbedderAccess): Promise<OpenedEmbedder> {
  const { dimension, maxTokens = clauseTokens, device, dtype } = access;
  const model = await loadTextEmbedder(directory, {
    // As calibration and training agree on one type, they agree on the vectors, hence on delta.
    dtype: dtype ?? "float32",
    ...(maxTokens === null ? {} : { maxTokens }),
    ...(dimension === null || dimension === undefined ? {} : { dimension }),
    ...(device === undefined ? {} : { device }),
  });
  const { embedder, note } = asUsed(model, access.clauseInstruction, true);
  const isKept = access.cacheFolder !== null && access.keeps !== "all";
  const memory = isKept ? new ReplyCache(access.cacheFolder) : null;
  return {
    embedder: memory === null ? embedder : storeCues(embedder, memory),
    isSlow: true,
    textsPerTurn: 64,
    notes: [`embedder: ${directory} (${embedder.name}, ${model.dimension} numbers per text)`, note],
    [Symbol.dispose]() {
      memory?.close();
      model[Symbol.dispose]();
    },
  };
}

async function openServer(url: string, model: string, access: EmbedderAccess): Promise<OpenedEmbedder> {
  const { cacheFolder, keeps = "cues", dimension } = access;
  const client = openEmbeddingClient({
    key: null,
    ...access.client,
    url,
    model,
    cacheFolder: keeps === "all" ? cacheFolder : null,
    ...(dimension === null || dimension === undefined ? {} : { askedDimension: dimension }),
  });
  const memory = keeps === "all" || cacheFolder === null ? null : new ReplyCache(cacheFolder);
  const dispose = () => {
    memory?.close();
    client[Symbol.dispose]();
  };
  try {
    const { embedder, note } = asUsed(await endpointEmbedder(client, model), access.clauseInstruction, isQwen3(model));
    return {
      embedder: memory === null ? embedder : storeCues(embedder, memory),
      isSlow: true,
      textsPerTurn: 512,
      notes: [`embedder: ${client.name} (${embedder.name}, ${embedder.dimension} numbers per text)`, note],
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** "Qwen/Qwen3-Embedding-0.6B", "qwen3-embedding:8b": however a server spells it. */
function isQwen3(model: string): boolean {
  return /qwen3[-_]embedding/i.test(model);
}

/** With or without an instruction before clauses, and the line that says so. */
function asUsed(embedder: Embedder, instruction: string, isQwen3: boolean): { embedder: Embedder; note: string } {
  const chosen = instruction === "auto" ? (isQwen3 ? CLAUSE_INSTRUCTION : "") : instruction;
  if (chosen === "") return { embedder, note: "embedder: clauses and cues alike, without an instruction" };
  return { embedder: instructClauses(embedder, chosen), note: `embedder: clauses with the instruction "${chosen}"` };
}

const bankSchema = z.array(
  z.strictObject({ name: z.string().min(1), kind: z.string().optional(), phrases: z.array(z.string().min(1)).min(1) }),
);

const bankForm = '[{ "name": "smile", "kind": "video", "phrases": ["a bright smile", "a broad grin"] }, ...]';

/** @throws OppoError ERR_BANK */
export function readBank(file: string): Concept[] {
  const wrong = (got: string, cause?: unknown) =>
    new OppoError("ERR_BANK", `${file}: expected a bank of concepts such as ${bankForm}, got ${got}.`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw wrong((cause as Error).message, cause);
  }
  const parsed = bankSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw wrong(`${issue!.path.join(".") || "the file"}: ${issue!.message}`);
  }
  return parsed.data.map(({ kind, ...concept }) => (kind === undefined ? concept : { ...concept, kind }));
}
