// A Hugging Face hub as `oppo pull` needs it: which commit a revision is, which files it has, and their bytes from any
// place on. Through the hub's own client; everything that comes back is checked here.
import { downloadFile, listFiles, modelInfo } from "@huggingface/hub";
import { z } from "zod";
import { guardedFetch } from "./guarded-fetch.ts";
import { hubError, translated } from "./hub-error.ts";

export interface HubOptions {
  /** "https://huggingface.co" or a mirror. */
  readonly url: string;
  readonly token: string | null;
  readonly signal: AbortSignal;
  readonly maxTries?: number;
  readonly retryMilliseconds?: number;
  readonly timeoutMilliseconds?: number;
  readonly onWait?: (reason: string, milliseconds: number) => void;
}

/** Example: `{ path: "config.json", size: 1287, hash: { kind: "git", hex: "ce01..." } }` */
export interface HubFile {
  /** As the hub writes it; not yet a name to use. */
  readonly path: string;
  readonly size: number;
  /** SHA-256 of the content for large files (LFS), git's SHA-1 of the blob for small ones. */
  readonly hash: { readonly kind: "sha256" | "git"; readonly hex: string };
}

export interface Hub {
  /** The commit that a branch, tag or commit stands for. */
  commitOf(repository: string, revision: string): Promise<string>;
  /** Files of the top folder. */
  list(repository: string, commit: string): Promise<HubFile[]>;
  /** The bytes of a file from `offset` on. */
  open(repository: string, commit: string, file: HubFile, offset: number): Promise<ReadableStream<Uint8Array>>;
}

const maxFiles = 20_000;
const sha1 = z.string().regex(/^[0-9a-f]{40}$/);
const size = z.number().int().nonnegative();
const entrySchema = z.object({
  type: z.string(),
  path: z.string().min(1).max(1000),
  size,
  oid: sha1,
  lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size }).optional(),
});

/** @throws OppoError ERR_HUB_ACCESS for a token or an address that cannot be one */
export function openHub(options: HubOptions): Hub {
  const { token, signal } = options;
  const hubUrl = checkedAddress(options.url);
  if (token !== null && !/^hf_[\x21-\x7e]+$/.test(token)) {
    throw hubError("ERR_HUB_ACCESS", "HF_TOKEN", "a token that begins with hf_, got another text", "Set it anew.");
  }
  const common = {
    hubUrl,
    ...(token === null ? {} : { accessToken: token }),
    fetch: guardedFetch({
      origin: new URL(hubUrl).origin,
      signal,
      maxTries: options.maxTries ?? 6,
      retryMilliseconds: options.retryMilliseconds ?? 1000,
      timeoutMilliseconds: options.timeoutMilliseconds ?? 60_000,
      onWait: options.onWait ?? (() => undefined),
    }),
  };
  const guarded = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      throw translated(error, what, token !== null);
    }
  };
  return {
    commitOf: (repository, revision) =>
      guarded(`${repository}@${revision}`, async () => {
        const info = await modelInfo({ ...common, name: repository, revision, additionalFields: ["sha"] });
        const parsed = sha1.safeParse((info as { sha?: unknown }).sha);
        if (parsed.success) return parsed.data;
        throw hubError(
          "ERR_HUB",
          repository,
          "a commit of 40 hexadecimal digits, got something else",
          "Check HF_ENDPOINT.",
        );
      }),
    list: (repository, commit) =>
      guarded(repository, () => {
        return gathered(repository, listFiles({ ...common, repo: model(repository), revision: commit }));
      }),
    open: (repository, commit, file, offset) =>
      guarded(`${repository}/${file.path}`, async () => {
        const { path } = file;
        const blob = await downloadFile({ ...common, repo: model(repository), revision: commit, path, xet: false });
        if (blob === null) throw hubError("ERR_HUB_NOT_FOUND", path, "the listed file, got 404", "Run the same again.");
        if (blob.size !== file.size) {
          throw hubError("ERR_HUB", path, `${file.size} bytes as listed, got ${blob.size}`, "Run the same again.");
        }
        return blob.slice(offset, file.size).stream() as ReadableStream<Uint8Array>;
      }),
  };
}

async function gathered(repository: string, entries: AsyncIterable<unknown>): Promise<HubFile[]> {
  const files: HubFile[] = [];
  for await (const entry of entries) {
    if (files.length >= maxFiles) {
      throw hubError("ERR_HUB_FILES", repository, `at most ${maxFiles} files, got more`, "This is no model.");
    }
    const file = checkedEntry(repository, entry);
    if (file !== null) files.push(file);
  }
  return files;
}

/** "datasets/x" would be another thing to the client. */
function model(name: string): { type: "model"; name: string } {
  return { type: "model", name };
}

function checkedAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isFine = url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.search === "";
  if (isFine) return text.replace(/\/+$/, "");
  throw hubError(
    "ERR_HUB_ACCESS",
    "HF_ENDPOINT",
    "an address like https://huggingface.co, got another text",
    "Set it anew, or unset it.",
  );
}

/** null for folders. */
function checkedEntry(repository: string, entry: unknown): HubFile | null {
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const isFolder = (entry as { type?: unknown } | null)?.type === "directory";
    if (isFolder) return null;
    const got = `${issue!.path.join(".")}: ${issue!.message}`;
    throw hubError("ERR_HUB_FILES", repository, `a listing of files, got ${got}`, "Check HF_ENDPOINT.");
  }
  const { type, path, size: bytes, oid, lfs } = parsed.data;
  if (type !== "file") return null;
  return lfs === undefined
    ? { path, size: bytes, hash: { kind: "git", hex: oid } }
    : { path, size: lfs.size, hash: { kind: "sha256", hex: lfs.oid } };
}
