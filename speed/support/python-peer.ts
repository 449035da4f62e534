// A Python with transformers beside us: found, started, and asked one JSON line at a time.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";

export interface FoundPython {
  readonly python: string;
  /** Versions, "none" where a library is absent. */
  readonly torch: string;
  readonly transformers: string;
  readonly peft: string;
  /** Folder of its torch: what LIBTORCH takes. */
  readonly libtorch: string;
}

const probe = `
import importlib.metadata as m, importlib.util as u, json, os
def version(name):
    try: return m.version(name)
    except Exception: return "none"
spec = u.find_spec("torch")
print(json.dumps({**{n: version(n) for n in ("torch", "transformers", "peft")}, "libtorch": os.path.dirname(spec.origin) if spec else ""}))
`;

/** The first Python that has torch and transformers: the given one, $OPPO_PYTHON, python3; null with what was tried. */
export function findTransformers(given: string | undefined): FoundPython | { readonly tried: readonly string[] } {
  const asked = given ?? process.env.OPPO_PYTHON;
  const tried = asked === undefined ? ["python3"] : [asked];
  for (const python of tried) {
    const { status, stdout } = spawnSync(python, ["-c", probe], { encoding: "utf8" });
    if (status !== 0) continue;
    const found = { python, ...JSON.parse(stdout) } as FoundPython;
    if (found.torch !== "none" && found.transformers !== "none") return found;
  }
  return { tried };
}

/** A script that answers every line of JSON with one line of JSON. */
export class PythonPeer {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(python: string, script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
    const quiet = { HF_HUB_OFFLINE: "1", TRANSFORMERS_VERBOSITY: "error", TOKENIZERS_PARALLELISM: "false" };
    this.#process = spawn(python, [script, ...args], {
      env: { ...process.env, ...quiet, ...env },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
  }

  async ask<T>(request: object): Promise<T> {
    this.#process.stdin!.write(`${JSON.stringify(request)}\n`);
    return this.read<T>();
  }

  async read<T>(): Promise<T> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the Python peer ended early; its last words are above`);
    return JSON.parse(value) as T;
  }

  close(): void {
    this.#process.stdin!.end();
  }
}
