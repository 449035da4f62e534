// A trunk that begins with another one's keys and values has the hidden states and gradients of one that computes them itself,
// with its graph and recomputed, for packed and padded prompts, through media rows that learn and an adapter.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addAdapter } from "../../../src/models/adapt.ts";
import { borrow } from "../../../src/models/decoder/shared-start.ts";
import { defaultLora } from "../../../src/models/lora/config.ts";
import type { ClipRows, ModelPrompt, OmniModel, Trunk } from "../../../src/models/omni-model.ts";
import { Generator, noGrad, numLiveTensors, op, scope, type Tensor } from "../../../src/tensor/index.ts";
import { onDevice } from "../../support/device.ts";
import { mixedPrompts, tinyThinker } from "../qwen-omni/tiny.ts";

const TOLERANCE = 1e-5;
const MISTAKE = 1e-3;

function relative(got: Tensor, want: Tensor): number {
  return got.sub(want).abs().max().item() / want.abs().max().item();
}

const completionsOf = (all: readonly (readonly number[])[]) =>
  all.map((own, b) => own.map((n, g) => Int32Array.from({ length: n }, (_, t) => 5 + ((t * 7 + g * 3 + b) % 90))));

const full = completionsOf([[9, 3, 7], [5], [2, 8]]);
const masked = completionsOf([[4, 6], [3]]);

/** Sums that weigh every element of the real rows differently. */
function functional({ hidden }: Trunk, completions: readonly (readonly Int32Array[])[]): Tensor {
  using generator = new Generator(3);
  const rows = completions.flat().map((own, n) => hidden.select(0, n).narrow(0, 0, own.length));
  return rows.map((x) => x.mul(onDevice(op.randn(x.shape, { generator }))).sum()).reduce((sum, x) => sum.add(x));
}

interface Case {
  readonly lender: readonly ModelPrompt[];
  readonly borrower: readonly ModelPrompt[];
  readonly from: readonly number[];
  /** Media rows that learn. */
  readonly leaves: readonly Tensor[];
}

/** The third prompt as it is, and the first with other sound; rows learn. */
function makeCase(prompts: readonly ModelPrompt[]): Case {
  const leaves: Tensor[] = [];
  const learning = (x: Tensor | null): Tensor | null => {
    if (x === null) return null;
    const leaf = x.detach();
    leaf.requiresGrad = true;
    leaves.push(leaf);
    return leaf;
  };
  const rowsOf = (video: Tensor | null, audio: Tensor | null): ClipRows => ({ video, audio, [Symbol.dispose]() {} });
  const lender = prompts.map(({ tokens, rows }) => ({
    tokens,
    rows: rows && rowsOf(learning(rows.video), learning(rows.audio)),
  }));
  const [first] = lender;
  const sound = learning(first!.rows!.audio!.mul(-0.5).add(0.1));
  return {
    lender,
    borrower: [{ tokens: first!.tokens, rows: rowsOf(first!.rows!.video, sound) }, lender[2]!],
    from: [0, 2],
    leaves,
  };
}

function learn(model: OmniModel, { lender, borrower, from, leaves }: Case, recomputes: boolean, shares: boolean) {
  const trunk = model.trunk(lender, full, { recomputes, lends: shares });
  const start = shares ? { trunk, prompts: from } : null;
  const other = model.trunk(borrower, masked, { recomputes, start });
  const [a, b] = [functional(trunk, full), functional(other, masked)];
  b.backward();
  other.backward();
  a.backward();
  trunk.backward();
  const parameters = [...model.parameters().values(), ...leaves];
  const gradients = parameters.filter(({ grad }) => grad !== null).map((parameter) => parameter.grad!.mul(1));
  for (const parameter of parameters) parameter.grad = null;
  return { rows: other.hidden.detach(), loss: a.add(b).item(), gradients };
}

function assertSame(got: ReturnType<typeof learn>, want: ReturnType<typeof learn>): void {
  assert.ok(Math.abs(got.loss / want.loss - 1) < TOLERANCE, `${got.loss} ${want.loss}`);
  assert.equal(got.gradients.length, want.gradients.length);
  for (const [i, gradient] of want.gradients.entries()) {
    const error = relative(got.gradients[i]!, gradient);
    assert.ok(error < TOLERANCE, `gradient ${i}: ${error}`);
  }
}

describe("a shared start", () => {
  test("changes neither values nor gradients, kept or recomputed", () => {
    const before = numLiveTensors();
    scope(() => {
      using model = tinyThinker(1);
      using another = tinyThinker(2);
      for (const [name, parameter] of model.parameters()) {
        parameter.requiresGrad = !model.partOf(name).endsWith("tower");
      }
      const prompts = mixedPrompts(model);
      const all = makeCase(prompts);
      const whole = learn(model, all, false, false);
      assert.ok(whole.gradients.length > 30);
      for (const recomputes of [false, true]) assertSame(learn(model, all, recomputes, true), whole);
      // negative control: it is the lender's keys and values that are read
      const foreign = another.trunk(all.lender, full, { lends: true });
      const misled = model.trunk(all.borrower, masked, { start: { trunk: foreign, prompts: all.from } });
      const plain = model.trunk(all.borrower, masked);
      assert.ok(Math.abs(functional(misled, masked).item() - functional(plain, masked).item()) > MISTAKE);
      for (const { rows } of prompts) rows?.[Symbol.dispose]();
    });
    assert.equal(numLiveTensors(), before);
  });

  test("goes through an adapter, and needs no gradient", () => {
    scope(() => {
      using model = tinyThinker(1);
      using adapted = addAdapter(model, { ...defaultLora, rank: 3, alpha: 6 }, 5);
      using generator = new Generator(4);
      for (const [name, value] of adapted.parameters()) {
        if (name.endsWith("lora_B.weight")) value.copy_(op.randn(value.shape, { generator }).mul(0.1));
        value.requiresGrad = true;
      }
      const prompts = mixedPrompts(model);
      const all = makeCase(prompts);
      const whole = learn(adapted, all, false, false);
      for (const recomputes of [false, true]) assertSame(learn(adapted, all, recomputes, true), whole);
      noGrad(() => {
        const trunk = model.trunk(all.lender, full, { lends: true });
        const shared = model.trunk(all.borrower, masked, { start: { trunk, prompts: all.from } });
        const plain = functional(model.trunk(all.borrower, masked), masked).item();
        assert.ok(Math.abs(functional(shared, masked).item() / plain - 1) < TOLERANCE);
        assert.equal(shared.hidden.requiresGrad, false);
      });
      for (const { rows } of prompts) rows?.[Symbol.dispose]();
    });
  });

  test("ends where a prompt first differs, and is not taken where little is the same", () => {
    scope(() => {
      const ids = Int32Array.from({ length: 9 }, (_, i) => i);
      const [a, b, c] = [1, 2, 3].map((value) => op.full([2, 4], value, { dtype: "float32" }));
      const prompt = (video: Tensor, audio: Tensor, own = ids) => ({
        ...{ ids: own, positions: own },
        media: [
          { places: [1, 2], rows: video },
          { places: [5, 6], rows: audio },
        ],
      });
      const keys = op.zeros([2 * 3, 8, 4], { dtype: "float32" });
      const layers = [{ keys, values: keys }];
      const whole = prompt(a!, b!);
      const prefix = { batch: 2, length: 8, layers, padding: null, lastIds: ids, lastPositions: ids };
      const lent = { prompts: [whole, prompt(c!, b!)], prefix };
      const columns = (...borrowers: (typeof whole)[]) => borrow(lent, borrowers, [0, 1])?.columns ?? null;
      assert.equal(columns(prompt(a!, c!)), 5);
      assert.equal(columns(prompt(a!, b!)), 7, "the last column runs in any case");
      assert.equal(columns(prompt(a!, c!), prompt(c!, b!)), 5);
      assert.equal(columns(prompt(c!, b!)), null, "one column of eight");
      assert.equal(columns(prompt(a!, c!, ids.slice().fill(1, 8))), null, "another text");
      const { keys: taken } = borrow(lent, [prompt(c!, a!)], [1])!.keysValues(0);
      assert.deepEqual(taken.shape, [3, 5, 4]);
    });
  });
});
