// The work that speed/engine.ts times: a small GPT written with plain operators, trained and decoded with a KV cache.
// speed/peers/engine.py is the same program in Python, operator for operator; change both or neither.
// B batch, T tokens, D width, H heads, V vocabulary
import { AdamW } from "../src/nn/index.ts";
import { Generator, gelu, inference, op, scope, type Tensor } from "../src/tensor/index.ts";

export const size = { width: 256, heads: 4, inner: 1024, layers: 4, vocabulary: 2000, tokens: 128 } as const;
const trainBatch = 8;
const decodeBatch = 4;
const promptTokens = 16;
const newTokens = 64;
const callsPerScope = 1000;

interface Block {
  readonly norm1: Norm;
  readonly qkv: Linear;
  readonly out: Linear;
  readonly norm2: Norm;
  readonly up: Linear;
  readonly down: Linear;
}
interface Linear {
  readonly weight: Tensor;
  readonly bias: Tensor;
}
type Norm = Linear;
interface Cache {
  readonly k: Tensor;
  readonly v: Tensor;
}

export class EngineWork {
  readonly #parameters: Tensor[] = [];
  readonly #tokenTable: Tensor;
  readonly #positionTable: Tensor;
  readonly #blocks: Block[] = [];
  readonly #norm: Norm;
  readonly #head: Tensor;
  readonly #mask: Tensor;
  readonly #optimizer: AdamW;
  readonly #input: Tensor;
  readonly #target: Tensor;
  readonly #prompt: Tensor;
  readonly #small: readonly [Tensor, Tensor];

  constructor(seed: number) {
    const generator = new Generator(seed);
    const { width: d, inner, layers, vocabulary, tokens } = size;
    const learn = (t: Tensor): Tensor => {
      t.requiresGrad = true;
      this.#parameters.push(t);
      return t;
    };
    const draw = (...shape: number[]) => learn(op.randn(shape, { generator }).mul_(0.02));
    const linear = (outer: number, inner: number) => ({ weight: draw(outer, inner), bias: learn(op.zeros([outer])) });
    const norm = () => ({ weight: learn(op.ones([d])), bias: learn(op.zeros([d])) });
    this.#tokenTable = draw(vocabulary, d);
    this.#positionTable = draw(tokens, d);
    for (let i = 0; i < layers; i++) {
      const [qkv, out, up, down] = [linear(3 * d, d), linear(d, d), linear(inner, d), linear(d, inner)];
      this.#blocks.push({ norm1: norm(), qkv, out, norm2: norm(), up, down });
    }
    this.#norm = norm();
    this.#head = draw(vocabulary, d);
    this.#mask = op.full([tokens, tokens], -1e9, { dtype: "float32" }).triu({ diagonal: 1 });
    this.#input = op.randint(0, vocabulary, [trainBatch, tokens], { generator });
    this.#target = op.randint(0, vocabulary, [trainBatch, tokens], { generator });
    this.#prompt = op.randint(0, vocabulary, [decodeBatch, promptTokens], { generator });
    this.#small = [op.ones([4]), op.ones([4])];
    this.#optimizer = new AdamW([{ parameters: this.#parameters }], { lr: 3e-4, weightDecay: 0.01 });
  }

  /** Adds two tensors of four numbers, `count` times. */
  calls(count: number): void {
    const [a, b] = this.#small;
    for (let done = 0; done < count; done += callsPerScope) {
      scope(() => {
        for (let i = 0; i < callsPerScope; i++) op.add(a, b);
      });
    }
  }

  /** One optimizer step; returns the loss before it. */
  train(): number {
    return scope(() => {
      this.#optimizer.zeroGrad();
      const logits = this.#forward(this.#input, null, 0).view([-1, size.vocabulary]);
      const loss = op.crossEntropyLoss(logits, this.#target.view([-1]));
      loss.backward();
      this.#optimizer.step();
      return loss.item();
    });
  }

  /** Greedy decoding of a batch; returns the sum of the ids. */
  decode(): number {
    return inference(() =>
      scope(() => {
        const shape = [decodeBatch, size.heads, size.tokens, size.width / size.heads];
        const caches = this.#blocks.map(() => ({ k: op.zeros(shape), v: op.zeros(shape) }));
        const next = (ids: Tensor, position: number) =>
          scope(() => {
            const logits = this.#forward(ids, caches, position);
            return logits.select(1, ids.size(1) - 1).argmax({ dim: -1, keepdim: true });
          });
        const out = [next(this.#prompt, 0)];
        for (let i = 1; i < newTokens; i++) out.push(next(out[i - 1]!, promptTokens + i - 1));
        return op.cat(out, { dim: 1 }).sum().item();
      }),
    );
  }

  /** [B, T] -> [B, T, V] */
  #forward(ids: Tensor, caches: readonly Cache[] | null, position: number): Tensor {
    const numTokens = ids.size(1);
    let x = op.embedding(this.#tokenTable, ids).add(this.#positionTable.narrow(0, position, numTokens));
    for (const [i, block] of this.#blocks.entries()) {
      x = x.add(this.#attend(block, normalize(x, block.norm1), caches ? caches[i]! : null, position));
      x = x.add(apply(gelu(apply(normalize(x, block.norm2), block.up)), block.down));
    }
    return op.linear(normalize(x, this.#norm), this.#head);
  }

  #attend(block: Block, x: Tensor, cache: Cache | null, position: number): Tensor {
    const { width: d, heads: h } = size;
    const [batch, t] = x.shape as [number, number, number];
    const split = (part: Tensor) => part.view([batch, t, h, d / h]).transpose(1, 2); // [B, H, T, D/H]
    let [q, k, v] = apply(x, block.qkv).split(d, { dim: 2 }).map(split) as [Tensor, Tensor, Tensor];
    if (cache !== null) {
      cache.k.narrow(2, position, t).copy_(k);
      cache.v.narrow(2, position, t).copy_(v);
      k = cache.k.narrow(2, 0, position + t);
      v = cache.v.narrow(2, 0, position + t);
    }
    let scores = q.matmul(k.transpose(2, 3)).mul(1 / Math.sqrt(d / h)); // [B, H, T, T]
    if (t > 1) scores = scores.add(this.#mask.narrow(0, 0, t).narrow(1, 0, t));
    const mixed = scores.softmax(-1).matmul(v).transpose(1, 2).reshape([batch, t, d]);
    return apply(mixed, block.out);
  }
}

function normalize(x: Tensor, norm: Norm): Tensor {
  return op.layerNorm(x, [size.width], norm);
}

function apply(x: Tensor, { weight, bias }: Linear): Tensor {
  return op.linear(x, weight, { bias });
}
