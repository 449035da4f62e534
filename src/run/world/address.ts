// Where this process stands among those that train together, by what started it: torchrun (or our own launcher), SLURM's srun, Open
// MPI, or the same variables by hand. Nothing of it set is one process.
import { OppoError } from "../../error.ts";
import type { WorldAddress } from "../../tensor/index.ts";
import { LAUNCHED_VARIABLE } from "./ranks.ts";

export interface Place extends WorldAddress {
  /** Among the processes of this machine: which GPU is its own. */
  readonly localRank: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Names of what says rank, size and place on the machine; `isPresent` where a size alone proves nothing. */
const starters = [
  { rank: "RANK", size: "WORLD_SIZE", local: "LOCAL_RANK", nodes: null, job: null },
  // Before SLURM: in a job, mpirun has srun start one daemon per machine, whose variables its processes have, too.
  {
    rank: "OMPI_COMM_WORLD_RANK",
    size: "OMPI_COMM_WORLD_SIZE",
    local: "OMPI_COMM_WORLD_LOCAL_RANK",
    nodes: null,
    job: null,
  },
  // Of a step that srun started; a batch script itself has SLURM_NTASKS too, and is one process.
  {
    rank: "SLURM_PROCID",
    size: "SLURM_STEP_NUM_TASKS",
    local: "SLURM_LOCALID",
    nodes: "SLURM_STEP_NODELIST",
    job: "SLURM_JOB_ID",
  },
] as const;

const defaultPort = 29500;
const maxRanks = 4096;
const maxPort = 65535;
/** A prime: steps of a job are far from the next jobs. */
const stepStride = 7919;

/** @returns null for one process @throws OppoError ERR_WORLD_VARIABLES */
export function worldPlace(environment: Environment): Place | null {
  const starter = starters.find(({ rank, size }) =>
    rank === "RANK"
      ? environment[rank] !== undefined || environment[size] !== undefined
      : environment[rank] !== undefined && environment[size] !== undefined,
  );
  if (starter === undefined) return null;
  const size = wholeNumber(environment, starter.size, 1, maxRanks);
  const rank = wholeNumber(environment, starter.rank, 0, size - 1);
  if (size === 1) return null;
  const localRank = environment[starter.local] === undefined ? 0 : wholeNumber(environment, starter.local, 0, size - 1);
  const host = masterOf(environment, starter, size);
  const servesElsewhere = environment.TORCHELASTIC_USE_AGENT_STORE === "True";
  const networkInterface = environment.GLOO_SOCKET_IFNAME;
  return {
    ...{ rank, size, localRank, host },
    port: portOf(environment, starter),
    servesStore: rank === 0 && !servesElsewhere,
    isPythons: servesElsewhere && environment[LAUNCHED_VARIABLE] !== "1",
    prefix: `oppo/${environment.TORCHELASTIC_RUN_ID ?? ""}/${environment.TORCHELASTIC_RESTART_COUNT ?? "0"}`,
    address: networkInterface !== undefined ? `@${networkInterface}` : isLoopback(host) ? host : "",
    collectiveSeconds: secondsOf(environment, "OPPO_COLLECTIVE_SECONDS", 1800),
    startSeconds: secondsOf(environment, "OPPO_START_SECONDS", 300),
  };
}

/** All ranks are on this machine. */
export const isLoopback = (host: string): boolean => host === "127.0.0.1" || host === "localhost" || host === "::1";

type Starter = (typeof starters)[number];

function masterOf(environment: Environment, { rank, nodes }: Starter, size: number): string {
  const given = environment.MASTER_ADDR;
  if (given !== undefined && given !== "") return given;
  const list = nodes === null ? undefined : environment[nodes];
  if (list !== undefined) return firstNode(list);
  if (rank === "OMPI_COMM_WORLD_RANK" && environment.OMPI_COMM_WORLD_LOCAL_SIZE === String(size)) return "127.0.0.1";
  throw wrong("MASTER_ADDR", "the machine of rank 0", given === undefined ? "nothing" : "an empty text");
}

function portOf(environment: Environment, { job, rank }: Starter): number {
  if (environment.MASTER_PORT !== undefined) return wholeNumber(environment, "MASTER_PORT", 1, maxPort);
  if (rank === "RANK") throw wrong("MASTER_PORT", "a port that is free on rank 0's machine", "nothing");
  // Jobs that share a machine must not share a port, nor steps of a job.
  const number = Number(job === null ? undefined : environment[job]);
  const step = Number(environment.SLURM_STEP_ID ?? 0);
  if (!Number.isInteger(number) || !Number.isInteger(step)) return defaultPort;
  return 20_000 + ((number + stepStride * step) % 20_000);
}

/** Of SLURM's short form, which may have several ranges. Example: "rack[1-2]node[007-012,31],other" -> "rack1node007" */
export function firstNode(list: string): string {
  const [expression] = /^(?:[^[,]|\[[^\]]*\])*/.exec(list)!;
  return expression.replaceAll(/\[([^\],-]*)[^\]]*\]/g, "$1");
}

function wholeNumber(environment: Environment, name: string, least: number, most: number): number {
  const text = environment[name];
  const value = text === undefined || !/^\d+$/.test(text) ? Number.NaN : Number(text);
  if (value >= least && value <= most) return value;
  throw wrong(name, `a whole number from ${least} to ${most}`, text === undefined ? "nothing" : `"${text}"`);
}

function secondsOf(environment: Environment, name: string, otherwise: number): number {
  return environment[name] === undefined ? otherwise : wholeNumber(environment, name, 1, 1_000_000);
}

function wrong(name: string, expected: string, got: string): OppoError {
  return new OppoError(
    "ERR_WORLD_VARIABLES",
    `${name}: expected ${expected}, got ${got}. Start the processes with oppo launch, torchrun --no-python, srun or mpirun; for one process leave RANK and WORLD_SIZE out.`,
  );
}
