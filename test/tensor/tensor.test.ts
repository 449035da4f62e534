// The tensor's life: scopes, owners, garbage collection, errors, transfers, generators.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import {
  cudaAvailable,
  Generator,
  hasOperator,
  indices,
  inference,
  keep,
  noGrad,
  numLiveTensors,
  numThreads,
  OperatorError,
  op,
  ShapeError,
  scope,
  setFlag,
  setNumThreads,
  synchronize,
  type Tensor,
  TensorDisposedError,
  tensor,
  torchVersion,
} from "../../src/tensor/index.ts";

let liveBefore = 0;
beforeEach(() => {
  liveBefore = numLiveTensors();
});
const assertNoLeak = () => assert.equal(numLiveTensors(), liveBefore);

describe("scope", () => {
  test("frees what was made inside and hands on what is returned, also inside containers", () => {
    const result = scope(() => {
      const a = op.ones([4]);
      const b = a.add(1);
      return { b, list: [a.mul(3)], map: new Map([["c", a.sub(1)]]) };
    });
    assert.equal(numLiveTensors() - liveBefore, 3);
    scope(() => assert.equal(result.b.sum().item(), 8));
    assert.deepEqual(result.list[0]!.toNumbers(), [3, 3, 3, 3]);
    result.b.dispose();
    result.list[0]!.dispose();
    result.map.get("c")!.dispose();
    assertNoLeak();
  });

  test("a tensor returned from an inner scope dies with the outer one", () => {
    scope(() => {
      const inner = scope(() => op.ones([2]).add(1));
      assert.deepEqual(inner.toNumbers(), [2, 2]);
    });
    assertNoLeak();
  });

  test("a throwing body frees its tensors and lets the error through", () => {
    const boom = new RangeError("boom");
    const body = () => scope(() => op.ones([3]).add(boom.message.length) && fail(boom));
    assert.throws(body, boom);
    assertNoLeak();
  });

  test("keep takes a tensor out of every scope; it lives until it is disposed", () => {
    const inner = scope(() => scope(() => keep(op.full([2], 7, { dtype: "float32" }))));
    const held: Tensor[] = [];
    scope(() => {
      held.push(keep(op.ones([2])), op.ones([2]));
    });
    assert.equal(numLiveTensors() - liveBefore, 2);
    assert.deepEqual(inner.toNumbers(), [7, 7]);
    assert.deepEqual(held[0]!.toNumbers(), [1, 1]);
    assert.throws(() => held[1]!.toNumbers(), TensorDisposedError);
    inner.dispose();
    inner.dispose();
    held[0]!.dispose();
    assertNoLeak();
  });

  test("bodies are synchronous, by type and at run time", () => {
    // @ts-expect-error an async body does not compile
    assert.throws(() => scope(async () => 1), { code: "ERR_ASYNC_BODY" });
    // @ts-expect-error an async body does not compile
    assert.throws(() => noGrad(async () => 1), { code: "ERR_ASYNC_BODY" });
  });

  test("autograd survives the end of the scope that made the graph", () => {
    const x = tensor(new Float32Array([3]));
    x.requiresGrad = true;
    const y = scope(() => x.mul(x).mul(x));
    scope(() => {
      y.backward();
      assert.equal(x.grad!.item(), 27);
    });
    x.dispose();
    y.dispose();
    assertNoLeak();
  });

  test("a quarter million tensors leave nothing behind", () => {
    const x = op.ones([4]);
    for (let i = 0; i < 500; i++) {
      scope(() => {
        let y = x;
        for (let j = 0; j < 500; j++) y = y.add(1);
      });
    }
    x.dispose();
    assertNoLeak();
  });
});

function fail(error: Error): never {
  throw error;
}

describe("without scopes", () => {
  test("garbage collection frees tensors inside a synchronous loop", () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc") as () => void;
    for (let i = 0; i < 200; i++) op.ones([64, 64]).add(1);
    collectGarbage();
    collectGarbage();
    // 400 were made; the last ones may still be referenced from registers and stack slots.
    assert.ok(numLiveTensors() - liveBefore < 20, `${numLiveTensors() - liveBefore} still live`);
  });

  test("a worker has its own engine and ends cleanly with live tensors", async () => {
    const source = `
      const { parentPort, workerData } = require("node:worker_threads");
      import(workerData).then(({ op, numLiveTensors }) => {
        globalThis.held = [op.ones([3]), op.ones([3]).add(1)];
        parentPort.postMessage(numLiveTensors());
      });`;
    const url = new URL("../../src/tensor/index.js", import.meta.url).href;
    const worker = new Worker(source, { eval: true, workerData: url });
    const live = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
    assert.equal(live, 3);
    await worker.terminate();
  });
});

describe("errors", () => {
  test("a refused call names operator, schema and argument shapes", () => {
    const body = () => op.ones([2, 3]).matmul(op.ones([4, 5]));
    assert.throws(
      () => scope(body),
      (error: unknown) => {
        assert.ok(error instanceof OperatorError);
        assert.equal(error.code, "ERR_OPERATOR_FAILED");
        assert.equal(error.operator, "aten::matmul");
        assert.equal(error.argumentShapes, "self: Float[2, 3], other: Float[4, 5]");
        assert.match(error.schema, /^aten::matmul\(Tensor self, Tensor other\) -> Tensor$/);
        assert.match(error.message, /shapes cannot be multiplied \(2x3 and 4x5\)/);
        return true;
      },
    );
    assertNoLeak();
  });

  test("use after dispose and after the scope's end is an error of its own, naming the argument", () => {
    const x = op.ones([2]);
    x.dispose();
    const expected = (error: unknown) => {
      assert.ok(error instanceof TensorDisposedError);
      assert.equal(error.code, "ERR_TENSOR_DISPOSED");
      assert.match(error.message, /aten::add\.Scalar\(self: disposed, other: 1\)/);
      return true;
    };
    assert.throws(() => x.add(1), expected);
    let stale: Tensor | undefined;
    scope(() => {
      stale = op.ones([2]);
    });
    assert.throws(() => stale!.add(1), expected);
    assert.throws(() => stale!.shape, TensorDisposedError);
    assert.equal(String(stale), "Tensor(disposed)");
  });

  test("a raw handle from before a slot was reused does not reach the new tensor", () => {
    const old = op.ones([2]);
    const handle = old.h;
    old.dispose();
    const fresh = op.zeros([2]);
    const forged = Object.assign(Object.create(Object.getPrototypeOf(fresh)) as Tensor, { h: handle, guarded: false });
    assert.notEqual(fresh.h, handle);
    assert.throws(() => forged.add(1), TensorDisposedError);
    fresh.dispose();
  });

  test("an operator that this libtorch lacks fails when it is called, not before", () => {
    if (hasOperator("rms_norm")) return;
    const x = op.ones([2]);
    assert.throws(() => op.rmsNorm(x, [2]), { code: "ERR_OPERATOR_MISSING" });
    x.dispose();
  });

  test("wrong argument kinds are refused", () => {
    const x = op.ones([2]);
    assert.throws(() => x.sum(0.5), /expected an integer, got 0\.5/);
    assert.throws(() => x.view(["2"] as unknown as number[]), /expected an integer/);
    assert.throws(() => setNumThreads(0), /expected 1 to 4096, got 0/);
    x.dispose();
  });
});

describe("transfer", () => {
  test("typed arrays go in and out with their types", () => {
    const cases = [
      [new Float32Array([1.5, -2]), "float32"],
      [new Float64Array([0.1, 1e300]), "float64"],
      [new Int32Array([1, -(2 ** 31)]), "int32"],
      [new BigInt64Array([1n, -(2n ** 62n)]), "int64"],
      [new Uint8Array([0, 255]), "uint8"],
    ] as const;
    for (const [data, dtype] of cases) {
      scope(() => {
        const t = tensor(data, [2, 1]);
        assert.equal(t.dtype, dtype);
        assert.deepEqual(t.shape, [2, 1]);
        assert.deepEqual(t.copyInto(new (data.constructor as new (n: number) => typeof data)(data.length)), data);
      });
    }
    assertNoLeak();
  });

  test("bfloat16 travels as bits: 1.0 is 0x3f80, -2.5 is 0xc020", () => {
    scope(() => {
      const bits = new Uint16Array([0x3f80, 0xc020]);
      const t = tensor(bits, [2], { dtype: "bfloat16" });
      assert.deepEqual(t.toNumbers(), [1, -2.5]);
      assert.deepEqual(t.toUint16Array(), bits);
      assert.deepEqual(
        tensor(new Float32Array([1, -2.5]))
          .to("bfloat16")
          .toUint16Array(),
        bits,
      );
    });
  });

  test("numbers convert on the way in; int64 checks the range on the way out", () => {
    scope(() => {
      assert.deepEqual(indices([5, 6]).toInt32Array(), new Int32Array([5, 6]));
      assert.equal(indices([5]).dtype, "int64");
      assert.equal(tensor(new Float64Array([0.5]), [1], { dtype: "float32" }).dtype, "float32");
      assert.throws(() => tensor(new BigInt64Array([2n ** 40n])).toInt32Array(), /does not fit an Int32Array/);
      assert.throws(() => indices([2 ** 40]), { code: "ERR_INDEX_NOT_INT32" });
    });
  });

  test("a shape that does not hold the data is a ShapeError", () => {
    const body = () => tensor(new Float32Array(6), [2, 4]);
    assert.throws(body, (error: unknown) => error instanceof ShapeError && /got \[2, 4\]/.test(error.message));
    assert.throws(() => tensor(new Float32Array(6), [-2, -3]), { code: "ERR_SHAPE_MISMATCH" });
  });

  test("a view of a larger tensor is read in its own order", () => {
    scope(() => {
      const t = tensor(new Float32Array([1, 2, 3, 4, 5, 6]), [2, 3]);
      assert.deepEqual(t.t().toNumbers(), [1, 4, 2, 5, 3, 6]);
      assert.equal(t.size(-1), 3);
      assert.equal(t.numel, 6);
      assert.equal(t.ndim, 2);
      assert.throws(() => t.size(2), { code: "ERR_DIMENSION" });
    });
  });
});

describe("generator", () => {
  const draw = (seed: number) => {
    using generator = new Generator(seed);
    return scope(() => [
      ...op.randn([5], { generator }).toNumbers(),
      ...op.ones([4]).multinomial(2, { generator }).toNumbers(),
      ...op.empty([3]).exponential_({ generator }).toNumbers(),
    ]);
  };

  test("one seed, one stream; another seed, another stream", () => {
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
  });

  test("a generator goes on where it was; generators do not disturb each other", () => {
    using a = new Generator(1);
    using b = new Generator(1);
    scope(() => {
      const first = op.randn([3], { generator: a }).toNumbers();
      const second = op.randn([3], { generator: a }).toNumbers();
      assert.notDeepEqual(first, second);
      assert.deepEqual(op.randn([3], { generator: b }).toNumbers(), first);
    });
  });

  test("a disposed generator is refused", () => {
    const generator = new Generator(1);
    generator[Symbol.dispose]();
    assert.throws(() => op.randn([1], { generator }), TensorDisposedError);
  });
});

describe("modes", () => {
  afterEach(() => setNumThreads(1));

  test("noGrad and inference record nothing, and end with their body", () => {
    scope(() => {
      const w = op.ones([2]);
      w.requiresGrad = true;
      assert.equal(noGrad(() => w.mul(2)).requiresGrad, false);
      const still = inference(() => w.mul(2));
      assert.throws(() => w.mul(still).sum().backward(), /[Ii]nference/);
      assert.equal(w.mul(2).requiresGrad, true);
      assert.throws(() => noGrad(() => fail(new Error("x"))), /x/);
      assert.equal(w.mul(2).requiresGrad, true);
    });
    assertNoLeak();
  });

  test("the runtime says what it is, and refuses what it does not have", () => {
    assert.match(torchVersion(), /^\d+\.\d+\.\d+/);
    assert.equal(hasOperator("add.Tensor"), true);
    assert.equal(hasOperator("aten::add.Nonsense"), false);
    synchronize("cpu");
    setFlag("onednn", true);
    assert.throws(() => setFlag("speed" as "tf32", true), /expected onednn, tf32 or deterministic, got speed/);
    if (!cudaAvailable()) assert.throws(() => new Generator(1, "cuda"), OperatorError);
  });

  test("threads are one unless set", () => {
    assert.equal(numThreads(), 1);
    setNumThreads(2);
    assert.equal(numThreads(), 2);
  });
});
