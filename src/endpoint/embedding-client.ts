// The embedding side of an endpoint: texts in, unit rows out. Texts that were embedded before come from the disk; the rest
// travel in batches. A vector that is no direction (zeros, not numbers, another length) is refused, never passed on.
import { OppoError } from "../error.ts";
import { contentHash } from "./canonical.ts";
import { isAboutLength, isAboutRequest } from "./diagnosis.ts";
import { type EndpointOptions, endpointSettings } from "./endpoint-options.ts";
import { Session } from "./session.ts";
import type { EndpointStatistics } from "./statistics.ts";
import type { Failure } from "./transport.ts";
import { decodeVector, encodeVector, readVectorsBody } from "./wire.ts";

export interface EmbeddingOptions extends EndpointOptions {
  /** Numbers per vector, where they are known; the server's first vector says it otherwise. */
  readonly dimension?: number | undefined;
  /** Asks the server for shorter vectors, as some models offer; part of what is kept. */
  readonly askedDimension?: number | undefined;
  /** Texts per request. */
  readonly batchSize?: number | undefined;
}

export interface EmbeddingClient extends Disposable {
  /** Model and address, as reports name it. */
  readonly name: string;
  /** Numbers per vector; asks for the vector of one word where nobody knows yet. */
  dimension(): Promise<number>;
  /**
   * Row-major [texts.length, dimension], rows of length 1; a blank text is a row of zeros, and nobody is asked for it.
   * @throws OppoError ERR_ENDPOINT and its siblings, ERR_ENDPOINT_VECTOR
   */
  embed(texts: readonly string[]): Promise<Float32Array>;
  /** Up to now. */
  statistics(): EndpointStatistics;
}

const probeText = "joy";
const unitTolerance = 1e-3;
/** What has been read off before, the rows of the texts by place. */
type Rows = Map<string, Promise<Float32Array>>;

/** @throws OppoError ERR_ENDPOINT_URL, ERR_ENDPOINT_OPTIONS, ERR_ENDPOINT_CACHE */
export function openEmbeddingClient(options: EmbeddingOptions): EmbeddingClient {
  return new EndpointEmbeddingClient(new Session(endpointSettings(options)), options);
}

class EndpointEmbeddingClient implements EmbeddingClient {
  readonly name: string;
  readonly #session: Session;
  readonly #askedDimension: number | undefined;
  /** Texts per request: as asked, and less once the server has shown that it takes no more. */
  #batchSize: number;
  readonly #underWay: Rows = new Map();
  #dimension: number | null;
  /** Not all servers know base64; one that refuses it gets plain numbers from then on. */
  #encoding: "base64" | "float" = "base64";

  constructor(session: Session, { dimension, askedDimension, batchSize = 64 }: EmbeddingOptions) {
    this.#session = session;
    this.#dimension = dimension ?? null;
    this.#askedDimension = askedDimension;
    this.#batchSize = batchSize;
    this.name = `${session.settings.model} at ${session.settings.url}`;
  }

  async dimension(): Promise<number> {
    if (this.#dimension === null) await this.embed([probeText]);
    return this.#dimension!;
  }

  async embed(texts: readonly string[]): Promise<Float32Array> {
    const distinct = [...new Set(texts.filter((text) => text.trim() !== ""))];
    const rows: Rows = new Map();
    const open: string[] = [];
    for (const text of distinct) {
      const running = this.#underWay.get(text);
      const kept = running === undefined ? this.#find(text) : null;
      if (running !== undefined) {
        this.#session.statistics.shared++;
        rows.set(text, running);
      } else if (kept !== null) rows.set(text, Promise.resolve(kept));
      else open.push(text);
    }
    for (let at = 0; at < open.length; at += this.#batchSize) this.#start(open.slice(at, at + this.#batchSize), rows);
    // All are waited for, so that what was paid for is kept also when one fails.
    const settled = await Promise.allSettled(rows.values());
    const failed = settled.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    const dimension = texts.length === 0 ? 0 : await this.dimension();
    const out = new Float32Array(texts.length * dimension);
    for (const [index, text] of texts.entries()) {
      const row = rows.get(text);
      if (row !== undefined) out.set(await row, index * dimension);
    }
    return out;
  }

  statistics(): EndpointStatistics {
    return this.#session.snapshot();
  }

  [Symbol.dispose](): void {
    this.#session.close();
  }

  #start(batch: readonly string[], rows: Rows): void {
    const asking = this.#session.inSlot(() => this.#ask(batch));
    batch.forEach((text, index) => {
      const row = asking.then((vectors) => vectors[index]!);
      this.#underWay.set(text, row);
      rows.set(text, row);
      const done = () => void this.#underWay.delete(text);
      row.then(done, done);
    });
  }

  /** In halves, where the server takes no more at once; what it took is remembered for all batches to come. */
  async #ask(batch: readonly string[]): Promise<readonly Float32Array[]> {
    const vectors: Float32Array[] = [];
    let size = batch.length;
    let refusal: Failure | null = null;
    while (vectors.length < batch.length) {
      size = Math.min(size, this.#batchSize);
      const some = batch.slice(vectors.length, vectors.length + size);
      const result = await this.#askOnce(some);
      if (Array.isArray(result)) {
        vectors.push(...result);
        if (refusal !== null && size < this.#batchSize) this.#learn(size);
        continue;
      }
      refusal ??= result as Failure;
      if (some.length === 1) throw this.#rejected(some[0]!, result as Failure);
      size = Math.ceil(some.length / 2);
    }
    return vectors;
  }

  #learn(size: number): void {
    const { url, onNotice } = this.#session.settings;
    this.#batchSize = size;
    onNotice(`${url}: the server does not take as many texts at once: ${size} from now on`);
  }

  #rejected(text: string, refusal: Failure): OppoError {
    const advice = isAboutLength(refusal)
      ? "It is longer than the model's context: shorten it, or serve the model with a longer one."
      : "The server does not take this text.";
    return new OppoError(
      "ERR_ENDPOINT_REJECTED",
      `${this.name}: expected a vector, got ${refusal.problem.replace(/[.\s]+$/, "")}, for a text of ${text.length} characters, ${JSON.stringify(text.slice(0, 60))}. ${advice}`,
    );
  }

  /** The vectors, or why the server does not take this batch. */
  async #askOnce(batch: readonly string[]): Promise<Float32Array[] | Failure> {
    const { model, url } = this.#session.settings;
    for (;;) {
      const encoding = this.#encoding;
      const dimensions = this.#askedDimension === undefined ? {} : { dimensions: this.#askedDimension };
      const sent = await this.#session.send({
        path: "/embeddings",
        body: { model, input: batch, encoding_format: encoding, ...dimensions },
        key: this.#keyOf(batch[0]!),
        read: (body) => readVectorsBody(body, batch),
      });
      if ("value" in sent) {
        const vectors = sent.value.map((vector, index) => this.#unit(vector, batch[index]!));
        batch.forEach((text, index) => {
          this.#session.keep(this.#keyOf(text), encodeVector(vectors[index]!));
        });
        return vectors;
      }
      const { refusal } = sent;
      if (encoding === "float" || !isAboutRequest(refusal) || !/encoding_format|base64/.test(refusal.complaint)) {
        if (!isAboutRequest(refusal)) throw await this.#session.failed(refusal, "/embeddings");
        return refusal;
      }
      if (this.#encoding === "base64") {
        this.#encoding = "float";
        this.#session.settings.onNotice(`${url}: the server does not send vectors as base64: plain numbers instead`);
      }
    }
  }

  #find(text: string): Float32Array | null {
    return this.#session.find(this.#keyOf(text), (kept) => {
      const vector = typeof kept === "string" ? decodeVector(kept) : null;
      // Kept at length 1; dividing again would change its last digits.
      return vector === null || !(Math.abs(lengthOf(vector) - 1) < unitTolerance)
        ? null
        : this.#ofDimension(vector, text);
    });
  }

  #keyOf(text: string): string {
    const { model } = this.#session.settings;
    return contentHash({ kind: "embedding", model, dimensions: this.#askedDimension, text });
  }

  /** The vector at length 1. @throws OppoError ERR_ENDPOINT_VECTOR */
  #unit(vector: Float32Array, text: string): Float32Array {
    const length = lengthOf(vector);
    if (!(length > 0 && Number.isFinite(length))) {
      throw this.#vectorError(`a vector with a direction, got one of length ${length}`, text);
    }
    return this.#ofDimension(vector, text).map((value) => value / length);
  }

  #ofDimension(vector: Float32Array, text: string): Float32Array {
    this.#dimension ??= vector.length;
    if (vector.length === this.#dimension) return vector;
    throw this.#vectorError(`a vector of ${this.#dimension} numbers, got ${vector.length}`, text);
  }

  #vectorError(problem: string, text: string): OppoError {
    return new OppoError(
      "ERR_ENDPOINT_VECTOR",
      `${this.name}: expected ${problem}, for ${JSON.stringify(text.slice(0, 60))}. Check that this is an embedding model.`,
    );
  }
}

function lengthOf(vector: Float32Array): number {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Math.sqrt(squares);
}
