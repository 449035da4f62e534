// Several processes as one: what they send is what arrives, and who is missing is named.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { alone, numLiveTensors, op, openWorld, tensor } from "../../../src/tensor/index.ts";
import { onRanks, startRanks } from "../../support/ranks.ts";

const close = (got: readonly number[], expected: readonly number[]) =>
  assert.ok(
    got.length === expected.length && got.every((value, i) => Math.abs(value - expected[i]!) < 1e-12),
    `${got}`,
  );

describe("collectives", () => {
  test("three ranks add, compare, gather and wait", async () => {
    interface Got {
      readonly sum: number[];
      readonly max: number[];
      readonly [name: string]: unknown;
    }
    const results = await onRanks<Got>(3, "collectives", null);
    for (const [rank, { sum, max, part, ...same }] of results.entries()) {
      close(sum, [3, 0.3]);
      assert.deepEqual(max, [2, 0]);
      // The sum of i * (1 + 2 + 3), of which a rank has two.
      assert.deepEqual(part, [12 * rank, 12 * rank + 6]);
      assert.deepEqual(same, {
        gathered: [
          [0, [], true],
          [1, [0], true],
          [2, [0, 1], true],
        ],
        whole: [0, 0, 1, 10, 2, 20],
        summed: [4.5],
        first: { by: 0, list: [1, 2] },
      });
    }
  });

  test("a lone process is a world of one, and sends nothing", async () => {
    const live = numLiveTensors();
    assert.deepEqual(alone.sum("s", [1, 2]), [1, 2]);
    assert.deepEqual(alone.gather("g", "mine"), ["mine"]);
    assert.equal(await alone.first("f", () => 7), 7);
    using whole = op.zeros([2]);
    using part = tensor(Float32Array.of(1, 2));
    alone.allGather("w", whole, part);
    assert.deepEqual(whole.toNumbers(), [1, 2]);
    whole.dispose();
    part.dispose();
    assert.equal(numLiveTensors(), live);
  });

  test("who serves the store stays until the others have read what it said last", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const environment = { TORCHELASTIC_USE_AGENT_STORE: "False", MASTER_PORT: String(port) };
    const stayed = await startRanks(3, "lastWord", "stays", { environment }).ends;
    assert.deepEqual(
      stayed.map(({ result }) => result),
      ["said", "said", "said"],
    );
    const gone = await startRanks(3, "lastWord", "goes", { environment }).ends;
    assert.equal(gone[0]!.result, "said");
    for (const { error } of gone.slice(1)) assert.match(error, /ERR_RANK_LOST/);
  });

  test("gradients are summed where some rank has one, and stay away where none has", async () => {
    const results = await onRanks<(number[] | null)[]>(2, "gradients", null);
    for (const gradients of results) {
      assert.deepEqual(gradients, [[21, 21, 21], [41, 41, 41, 41], [31, 31, 31, 31, 31], null]);
    }
  });
});

describe("a rank that is missing", () => {
  const others = async (how: string, environment: Record<string, string> = {}) => {
    const ends = await startRanks(3, "misbehave", how, { environment }).ends;
    return [ends[0]!, ends[2]!].map(({ code, error }) => {
      assert.equal(code, 1, error);
      return error;
    });
  };

  test("killed: the others end and name it", async () => {
    for (const error of await others("die"))
      assert.match(error, /^ERR_RANK_LOST: rank [02], in "what comes next": .*rank/);
  });

  test("hanging: the others end after the limit, with the collective and the rank", async () => {
    const started = startRanks(3, "misbehave", "hang", { environment: { OPPO_COLLECTIVE_SECONDS: "3" } });
    void started.ends.then(() => undefined);
    const errors = await Promise.all(
      [0, 2].map(async (rank) => {
        const child = started.children[rank]!;
        return await new Promise<string>((resolve) => {
          let text = "";
          child.stderr!.on("data", (more) => {
            text += more;
          });
          child.on("close", () => resolve(text));
        });
      }),
    );
    started.children[1]!.kill("SIGKILL");
    // The first of them to give up is gone for the other.
    assert.ok(
      errors.some((error) => /^ERR_RANK_LATE: .*"what comes next".*within 3 s, got none of rank 1/.test(error)),
      errors.join(),
    );
    for (const error of errors) assert.match(error, /^ERR_RANK_(LATE|LOST)/);
  });

  test("rank 0 is waited for as long as it works, and no longer", async () => {
    const environment = { OPPO_COLLECTIVE_SECONDS: "4" };
    const worked = await startRanks(2, "longFirst", "works", { environment }).ends;
    assert.deepEqual(
      worked.map(({ result }) => result),
      ["done", "done"],
    );
    const stopped = startRanks(2, "longFirst", "stops", { environment });
    const second = stopped.children[1]!;
    await new Promise((resolve) => second.once("close", resolve));
    stopped.children[0]!.kill("SIGKILL");
    const [, end] = await stopped.ends;
    assert.match(end!.error, /^ERR_RANK_LATE: rank 1, in "an evaluation": .*within 4 s, got none of rank 0/);
  });

  test("ending with a reason: the others give it", async () => {
    for (const error of await others("fail"))
      assert.match(error, /^ERR_RANK_LOST: .*rank 1: no space left on rank 1's disk/);
  });
});

describe("what is refused at the start", () => {
  test("a rank that is there twice, ranks of different worlds, and one that never comes", async () => {
    const environment = { OPPO_START_SECONDS: "3" };
    const twice = await startRanks(2, "gradients", null, { environment, of: () => ({ RANK: "0" }) }).ends;
    assert.ok(twice.some(({ error }) => /^ERR_WORLD_RANKS: .*another one of rank 0/.test(error)));
    const other = await startRanks(2, "gradients", null, {
      environment,
      of: (rank) => (rank === 1 ? { WORLD_SIZE: "3" } : {}),
    }).ends;
    assert.ok(
      other.some(({ error }) => /^ERR_WORLD_RANKS: .*rank 1, which knows of 3/.test(error)),
      JSON.stringify(other),
    );
    const lone = await startRanks(1, "gradients", null, { environment, of: () => ({ WORLD_SIZE: "2" }) }).ends;
    assert.match(lone[0]!.error, /^ERR_WORLD_START: rank 0: expected 2 ranks within 3 s, got none of rank 1/);
  });

  test("a port in use", async (t) => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    t.after(() => server.close());
    const { port } = server.address() as { port: number };
    const address = { rank: 0, size: 2, host: "127.0.0.1", port, servesStore: true, prefix: "x", address: "127.0.0.1" };
    assert.throws(() => openWorld({ ...address, collectiveSeconds: 1, startSeconds: 1 }), { code: "ERR_WORLD_PORT" });
  });
});
