// The gate: BERT reads the question, a small network turns its class vector into the shares of the three token lists.
// B questions, L ids of the longest, D width
import { gelu, indices, op, type Tensor, tensor } from "../../../tensor/index.ts";
import type { WeightSource } from "../../decoder/projection.ts";
import type { QuestionConfig } from "../config/config.ts";
import { GATE, QUESTION } from "../parameters.ts";
import { attend, layerNorm, linear, runTower, twoLayers } from "./layers.ts";

/** Additive, for ids that are padding: far below any score. */
const UNSEEN = -1e30;

/** Shares of video, body and face of every question, [B, 3] in float32; their sum is one. Honours the grad mode. */
export function questionShares(
  weights: WeightSource,
  config: QuestionConfig,
  questions: readonly Int32Array[],
): Tensor {
  const classes = encodeQuestions(weights, config, questions);
  return twoLayers(weights, GATE, classes).softmax(-1, { dtype: "float32" });
}

/** The last hidden state of every question's first id, [B, D]. */
export function encodeQuestions(
  weights: WeightSource,
  config: QuestionConfig,
  questions: readonly Int32Array[],
): Tensor {
  const batch = questions.length;
  const length = Math.max(...questions.map((ids) => ids.length));
  const ids = new Int32Array(batch * length);
  const unseen = new Float32Array(batch * length);
  questions.forEach((own, b) => {
    ids.set(own, b * length);
    unseen.fill(UNSEEN, b * length + own.length, (b + 1) * length);
  });
  const words = weights.get(`${QUESTION}.embeddings.word_embeddings.weight`)!;
  const target = { dtype: words.dtype, device: words.device };
  const places = weights.get(`${QUESTION}.embeddings.position_embeddings.weight`)!.narrow(0, 0, length);
  const type = weights.get(`${QUESTION}.embeddings.token_type_embeddings.weight`)!.narrow(0, 0, 1);
  const embedded = op
    .embedding(words, indices(ids).to({ device: target.device }))
    .view([batch, length, config.hiddenSize])
    .add(places)
    .add(type)
    .reshape([-1, config.hiddenSize]);
  const isPadded = questions.some((own) => own.length < length);
  const mask = isPadded ? { mask: tensor(unseen, [batch, 1, 1, length]).to(target) } : {};
  const start = layerNorm(weights, `${QUESTION}.embeddings.LayerNorm`, embedded, config.normEps);
  const shape = { batch, heads: config.numHeads, ...mask };
  const x = runTower(start, config.numLayers, (rows, i) =>
    layer(weights, config, `${QUESTION}.encoder.layer.${i}`, rows, shape),
  );
  return x.view([batch, length, config.hiddenSize]).select(1, 0);
}

function layer(
  weights: WeightSource,
  { normEps }: QuestionConfig,
  name: string,
  x: Tensor,
  shape: Parameters<typeof attend>[3],
): Tensor {
  const [queries, keys, values] = ["query", "key", "value"].map((part) =>
    linear(weights, `${name}.attention.self.${part}`, x),
  );
  const context = linear(weights, `${name}.attention.output.dense`, attend(queries!, keys!, values!, shape));
  const attended = layerNorm(weights, `${name}.attention.output.LayerNorm`, x.add(context), normEps);
  const inner = gelu(linear(weights, `${name}.intermediate.dense`, attended));
  const output = attended.add(linear(weights, `${name}.output.dense`, inner));
  return layerNorm(weights, `${name}.output.LayerNorm`, output, normEps);
}
