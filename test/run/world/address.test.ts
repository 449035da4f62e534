// Who started us, and what that says of rank, size and the way to the others.
import assert from "node:assert/strict";
import { test } from "node:test";
import { firstNode, worldPlace } from "../../../src/run/world/address.ts";

const torchrun = {
  ...{ RANK: "3", WORLD_SIZE: "4", LOCAL_RANK: "1", MASTER_ADDR: "node1", MASTER_PORT: "29400" },
  ...{ TORCHELASTIC_RUN_ID: "job", TORCHELASTIC_RESTART_COUNT: "2", TORCHELASTIC_USE_AGENT_STORE: "True" },
};

test("nothing set, or a lone process, is one process", () => {
  assert.equal(worldPlace({}), null);
  assert.equal(worldPlace({ RANK: "0", WORLD_SIZE: "1" }), null);
  // Of a batch script, which is one process whatever the job has.
  assert.equal(worldPlace({ SLURM_PROCID: "0", SLURM_NTASKS: "16", SLURM_JOB_ID: "7" }), null);
  assert.equal(worldPlace({ SLURM_PROCID: "0", SLURM_STEP_NUM_TASKS: "1", SLURM_STEP_NODELIST: "n1" }), null);
});

test("torchrun: its agent serves the store, and a restart has keys of its own", () => {
  const place = worldPlace(torchrun)!;
  assert.deepEqual(
    [place.rank, place.size, place.localRank, place.host, place.port, place.servesStore, place.prefix, place.address],
    [3, 4, 1, "node1", 29400, false, "oppo/job/2", ""],
  );
  const own = { ...torchrun, RANK: "0", TORCHELASTIC_USE_AGENT_STORE: "False", MASTER_ADDR: "127.0.0.1" };
  assert.equal(worldPlace(own)!.servesStore, true);
  assert.equal(worldPlace(own)!.address, "127.0.0.1");
  assert.deepEqual([place.isPythons, worldPlace({ ...torchrun, OPPO_LAUNCHED: "1" })!.isPythons], [true, false]);
  assert.equal(worldPlace({ ...own, GLOO_SOCKET_IFNAME: "eth1" })!.address, "@eth1");
});

test("SLURM: the first node and a port of the job's number", () => {
  const step = {
    ...{ SLURM_PROCID: "9", SLURM_STEP_NUM_TASKS: "16", SLURM_LOCALID: "1", SLURM_STEP_NODELIST: "gpu[07-08]" },
    SLURM_JOB_ID: "123456",
  };
  const place = worldPlace(step)!;
  assert.deepEqual([place.rank, place.size, place.localRank, place.host, place.port], [9, 16, 1, "gpu07", 23456]);
  assert.equal(worldPlace({ ...step, MASTER_PORT: "5000" })!.port, 5000);
  assert.equal(firstNode("node007"), "node007");
  assert.equal(firstNode("node[007-012,31],other"), "node007");
  assert.equal(firstNode("a,b"), "a");
  assert.equal(firstNode("rack[3]-gpu,x"), "rack3-gpu");
  assert.equal(firstNode("rack[1-2]node[01-04,9],x[7]"), "rack1node01");
  assert.equal(firstNode("gpu-a-[010,12-13].cluster"), "gpu-a-010.cluster");
  // Steps of one job that share a machine.
  const other = worldPlace({ ...step, SLURM_STEP_ID: "1" })!.port;
  assert.ok(other !== place.port && other >= 20_000 && other < 40_000);
});

test("Open MPI: on one machine by itself, on several with MASTER_ADDR", () => {
  const mpi = { OMPI_COMM_WORLD_RANK: "1", OMPI_COMM_WORLD_SIZE: "2", OMPI_COMM_WORLD_LOCAL_RANK: "1" };
  assert.equal(worldPlace({ ...mpi, OMPI_COMM_WORLD_LOCAL_SIZE: "2" })!.host, "127.0.0.1");
  assert.throws(() => worldPlace({ ...mpi, OMPI_COMM_WORLD_LOCAL_SIZE: "1" }), { message: /^MASTER_ADDR: expected/ });
  assert.equal(worldPlace({ ...mpi, MASTER_ADDR: "node1", MASTER_PORT: "29500" })!.host, "node1");
  // In a job of SLURM: what its daemon has is not the process'.
  const daemon = { SLURM_PROCID: "0", SLURM_STEP_NUM_TASKS: "1", SLURM_STEP_NODELIST: "node1" };
  assert.equal(worldPlace({ ...mpi, ...daemon, MASTER_ADDR: "node1" })!.rank, 1);
});

test("missing and wrong variables are named", () => {
  const wrong: readonly (readonly [string, Readonly<Record<string, string | undefined>>])[] = [
    ["WORLD_SIZE", { RANK: "0" }],
    ["RANK", { WORLD_SIZE: "2" }],
    ["RANK", { ...torchrun, RANK: "4" }],
    ["RANK", { ...torchrun, RANK: "-1" }],
    ["WORLD_SIZE", { ...torchrun, WORLD_SIZE: "two" }],
    ["WORLD_SIZE", { ...torchrun, WORLD_SIZE: "0" }],
    ["MASTER_PORT", { ...torchrun, MASTER_PORT: "99999" }],
    ["MASTER_PORT", { ...torchrun, MASTER_PORT: undefined }],
    ["MASTER_ADDR", { ...torchrun, MASTER_ADDR: "" }],
    ["LOCAL_RANK", { ...torchrun, LOCAL_RANK: "x" }],
    ["OPPO_COLLECTIVE_SECONDS", { ...torchrun, OPPO_COLLECTIVE_SECONDS: "0" }],
  ];
  for (const [name, environment] of wrong) {
    assert.throws(
      () => worldPlace(environment),
      { code: "ERR_WORLD_VARIABLES", message: new RegExp(`^${name}: `) },
      name,
    );
  }
});
