// A small classifier that says, from the tower rows of one modality alone, which cues can be read from them. Every question
// looks at the rows with two attention heads of its own (what a row holds, and where it lies) and decides linearly on what
// they bring. A temperature, fitted on clips that it has not learnt from, makes its probabilities mean what they say.
// B clips, P places, W width, Q questions, H heads, A answers of the question that has most
import type { CueQuestion } from "../../bench/support/cue-question.ts";
import { Generator, indices, keep, noGrad, op, scope, type Tensor, tensor } from "../../tensor/index.ts";
import { pooledRows, stackRows } from "./pooled-rows.ts";
import { headsPerQuestion, maxPlaces } from "./sizes.ts";

const smallestDeviation = 1e-6;
const firstWeight = 0.02;

/** What is learnt, and what the rows are measured in; with what narrows them. */
export const learntNames = ["keys", "places", "weight", "bias"] as const;

export class CueReader implements Disposable {
  readonly questions: readonly CueQuestion[];
  readonly #tensors: ReadonlyMap<string, Tensor>;
  /** [Q, 1, A]: -infinity for answers that a question does not have. */
  readonly #closed: Tensor;

  /** @param tensors by `tensors()`: owned from here on. */
  constructor(questions: readonly CueQuestion[], tensors: ReadonlyMap<string, Tensor>) {
    this.questions = questions;
    this.#tensors = tensors;
    const most = numAnswersOf(questions);
    const closed = Float32Array.from({ length: questions.length * most }, (_, i) =>
      i % most <= questions[Math.floor(i / most)]!.cues.length ? 0 : Number.NEGATIVE_INFINITY,
    );
    this.#closed = scope(() => keep(tensor(closed, [questions.length, 1, most])));
  }

  /** One that knows nothing yet, for rows like these. @param projection owned from here on */
  static fresh(questions: readonly CueQuestion[], pooled: readonly Tensor[], projection: Tensor | null, seed: number) {
    const width = pooled[0]!.shape[1]!;
    const numHeads = questions.length * headsPerQuestion;
    const tensors = scope(() =>
      noGrad(() => {
        using generator = new Generator(seed);
        const all = op.cat(pooled);
        const made: [string, Tensor][] = [
          ["mean", all.mean(0)],
          ["deviation", all.std(0, { unbiased: false }).add(smallestDeviation)],
          ["keys", op.randn([numHeads, width], { generator }).div(Math.sqrt(width))],
          ["places", op.zeros([numHeads, maxPlaces])],
          [
            "weight",
            op
              .randn([questions.length, headsPerQuestion * width, numAnswersOf(questions)], { generator })
              .mul(firstWeight),
          ],
          ["bias", op.zeros([questions.length, 1, numAnswersOf(questions)])],
          ["temperature", op.ones([1])],
        ];
        return new Map(made.map(([name, value]) => [name, keep(value)]));
      }),
    );
    if (projection !== null) tensors.set("projection", projection);
    return new CueReader(questions, tensors);
  }

  tensors(): ReadonlyMap<string, Tensor> {
    return this.#tensors;
  }

  /** What training changes. */
  learnt(): Tensor[] {
    return learntNames.map((name) => this.#of(name));
  }

  /** The caller owns it. */
  pool(rows: Tensor): Tensor {
    return pooledRows(rows, this.#tensors.get("projection") ?? null);
  }

  /** [Q, B, A] scores at temperature 1; -infinity for answers that a question does not have. */
  scores(pooled: readonly Tensor[]): Tensor {
    const { rows, ends } = stackRows(pooled);
    const [numClips, numPlaces, width] = rows.shape as [number, number, number];
    const seen = rows.sub(this.#of("mean")).div(this.#of("deviation"));
    const places = this.#of("places").narrow(1, 0, numPlaces);
    const liking = op.linear(seen, this.#of("keys")).transpose(1, 2).add(places); // [B, QH, P]
    const attention = (ends === null ? liking : liking.add(ends)).softmax(-1);
    const brought = op.matmul(attention, seen).reshape([numClips, this.questions.length, headsPerQuestion * width]);
    return op.bmm(brought.transpose(0, 1), this.#of("weight")).add(this.#of("bias")).add(this.#closed);
  }

  /** Mean cross-entropy of the answers that are known (not -1), in nats. @param answers per clip, of every question */
  loss(pooled: readonly Tensor[], answers: readonly Int32Array[]): Tensor {
    const { flat, known } = flatAnswers(answers, this.questions.length);
    const scores = this.scores(pooled).flatten({ startDim: 0, endDim: 1 }); // [Q B, A]
    const right = scores
      .logSoftmax(-1)
      .gather(1, indices(flat, [flat.length, 1]))
      .squeeze(1);
    const counted = op.where(tensor(known).gt(0), right, op.zerosLike(right));
    return counted.sum().div(
      -Math.max(
        1,
        known.reduce((sum, one) => sum + one, 0),
      ),
    );
  }

  set temperature(value: number) {
    noGrad(() => this.#of("temperature").fill_(value));
  }

  get temperature(): number {
    return this.#of("temperature").item();
  }

  /** Per clip and question the probabilities of its answers. */
  answers(pooled: readonly Tensor[]): Float32Array[][] {
    if (pooled.length === 0) return [];
    const { values, most } = scope(() =>
      noGrad(() => {
        const probabilities = this.scores(pooled).div(this.temperature).softmax(-1);
        return { values: probabilities.toFloat32Array(), most: probabilities.shape[2]! };
      }),
    );
    return pooled.map((_, clip) =>
      this.questions.map(({ cues }, q) => {
        const start = (q * pooled.length + clip) * most;
        return values.subarray(start, start + cues.length + 1);
      }),
    );
  }

  #of(name: string): Tensor {
    return this.#tensors.get(name)!;
  }

  [Symbol.dispose](): void {
    for (const one of this.#tensors.values()) one.dispose();
    this.#closed.dispose();
  }
}

function numAnswersOf(questions: readonly CueQuestion[]): number {
  return 1 + Math.max(...questions.map(({ cues }) => cues.length));
}

/** In the order of the scores' rows: question by question, clip by clip. */
function flatAnswers(answers: readonly Int32Array[], numQuestions: number): { flat: Int32Array; known: Float32Array } {
  const flat = new Int32Array(answers.length * numQuestions);
  const known = new Float32Array(flat.length);
  for (const [clip, own] of answers.entries()) {
    for (let q = 0; q < numQuestions; q++) {
      const at = q * answers.length + clip;
      flat[at] = Math.max(0, own[q]!);
      known[at] = own[q]! < 0 ? 0 : 1;
    }
  }
  return { flat, known };
}
