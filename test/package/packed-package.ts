// The package as another person gets it: packed, installed from the file into a bare folder, on a machine without a
// compiler, then with the one set-up command. Needs the registry for the dependencies and half a minute, so it runs by
// `npm run test:package` and not with the others; it is skipped, saying so, where the registry cannot be reached.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { mepRuns, obliging } from "../support/mep-runs.ts";
import { startMockEndpoint } from "../support/mock-endpoint.ts";
import { repositoryRoot } from "../support/repository.ts";
import { smallTheatre } from "../support/small-theatre.ts";

/** What a package may hold. */
const wanted =
  /^(LICENSE|README\.md|package\.json|build\/js\/src\/.*\.js|build\/studio\/(app\.(js|css)|icon\.svg|index\.html)|docs\/[a-z0-9-]+\.md|native\/\w+\.(cc|h)|scripts\/(oppo|setup|build-native)\.mjs|scripts\/setup\/[a-z-]+\.mjs)$/;
const mostPackedBytes = 1.1e6;
const serverMs = 20_000;
/** Nothing answers there: npm has what it needs, or fails. */
const deadRegistry = { npm_config_registry: "http://127.0.0.1:9/" };

const { version } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as { version: string };
const isReachable = spawnSync("npm", ["ping"], { timeout: 20_000, cwd: repositoryRoot }).status === 0;
const bare = mkdtempSync(join(tmpdir(), "oppo-package-"));
const installed = join(bare, "node_modules/oppo");
const tarball = join(bare, `oppo-${version}.tgz`);
/** A PATH with node and a shell on it, and neither a compiler nor a Python. */
const poorPath = join(bare, "bin");

function run(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const { LIBTORCH: _, CXX: __, ...inherited } = process.env;
  const env = { ...inherited, OPPO_HOME: join(bare, "home"), ...environment };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: bare, encoding: "utf8", env });
  return { status, text: `${stdout}${stderr}` };
}

function oppo(...args: string[]) {
  return run(join(bare, "node_modules/.bin/oppo"), args, { PATH: poorPath });
}

/** @returns what it printed */
function works(...args: string[]): string {
  const { status, text } = oppo(...args);
  assert.equal(status, 0, `oppo ${args.join(" ")}: ${text}`);
  return text;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
}

function put(name: string, text: string): string {
  const path = join(bare, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** Starts a server, waits for its address, does `act`, and says whether its port is free soon afterwards. */
async function serve(command: string, args: readonly string[], act: (pid: number) => void): Promise<boolean> {
  const env = { ...process.env, ...deadRegistry };
  // A group of its own, so that a server that stays can be ended.
  const child = spawn(command, args, { cwd: bare, stdio: ["ignore", "pipe", "ignore"], env, detached: true });
  let output = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    output += chunk;
    if (/http:\S+:\d+/.test(output)) break;
  }
  const address = /http:\/\/[\d.]+:\d+/.exec(output)?.[0];
  assert.ok(address !== undefined, output);
  const isUp = () =>
    fetch(address).then(
      () => true,
      () => false,
    );
  assert.ok(await isUp(), "the server answers");
  act(child.pid!);
  const end = performance.now() + serverMs;
  while (await isUp()) {
    if (performance.now() > end) {
      process.kill(-child.pid!, "SIGKILL");
      return false;
    }
    await sleep(100);
  }
  return true;
}

describe("the packed package", { skip: isReachable ? false : "the package registry cannot be reached" }, () => {
  before(() => {
    mkdirSync(poorPath);
    for (const name of ["sh", "env"]) symlinkSync(`/bin/${name}`, join(poorPath, name));
    symlinkSync(process.execPath, join(poorPath, "node"));
    const packed = spawnSync("npm", ["pack", "--pack-destination", bare], { cwd: repositoryRoot, encoding: "utf8" });
    assert.equal(packed.status, 0, packed.stderr);
    put("package.json", '{ "private": true }\n');
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--omit=dev"];
    const result = run("npm", ["install", ...flags, tarball]);
    assert.equal(result.status, 0, result.text);
  });
  after(() => rmSync(bare, { recursive: true, force: true }));

  it("holds what it needs and nothing else", () => {
    const files = filesBelow(installed);
    assert.deepEqual(
      files.filter((name) => !wanted.test(name)),
      [],
    );
    for (const name of [
      "LICENSE",
      "README.md",
      "docs/setup.md",
      "native/engine.h",
      "build/studio/app.js",
      "scripts/setup/libtorch.mjs",
    ])
      assert.ok(files.includes(name), name);
    const stale = files.filter((name) => name.startsWith("build/js/")).map((name) => name.slice("build/js/".length));
    for (const name of stale) assert.ok(existsSync(join(repositoryRoot, name.replace(/\.js$/, ".ts"))), name);
    const { size } = statSync(tarball);
    assert.ok(size < mostPackedBytes, `${size} bytes`);
    const total = files.reduce((sum, name) => sum + statSync(join(installed, name)).size, 0);
    console.log(`package: ${size} bytes packed, ${total} unpacked, ${files.length} files`);
  });

  it("does without a compiler what needs no tensors", async (t) => {
    assert.match(works("--help"), /Usage: oppo/);
    assert.equal(works("--version").trim(), version);
    assert.match(works("presets"), /oppo/);
    assert.match(works("lexicon", "explain", "furious"), /anger|angry/);
    assert.match(works("data", "list"), /mer2023/i);
    const truth = put("truth.csv", 'name,openset\na,"[happy, relieved]"\nb,[furious]\n');
    const answers = put("p.jsonl", '{"name":"a","text":"[glad]"}\n{"name":"b","text":"[angry]"}\n');
    assert.match(works("score", answers, "--truth", truth, "--kind", "open", "--resamples", "50"), /2 of 2/);
    const accounts = put("accounts.jsonl", '{"id":"a","text":"His brow is furrowed. His voice is very loud."}\n');
    works("evidence", "extract", "--data", accounts, "--out", "cues.jsonl", "--offline");
    assert.match(readFileSync(join(bare, "cues.jsonl"), "utf8"), /brow/);
    using theatre = await smallTheatre(3, "congruent");
    const runs = mepRuns(theatre);
    await runs.buildSet("set");
    const server = await startMockEndpoint(t, { answer: obliging });
    for (const name of ["one", "two"]) await runs.run(name, server.url);
    assert.match(works("mep", "compare", runs.at("one"), runs.at("two")), /one|two/);
    assert.equal(existsSync(join(installed, "build/native")), false);
  });

  it("serves the reward without the addon", async () => {
    const args = ["serve", "reward", "--embedder", "theatre", "--port", "0"];
    assert.ok(await serve(join(bare, "node_modules/.bin/oppo"), args, (pid) => process.kill(pid, "SIGTERM")));
  });

  it("says what is missing and the one command that gets it", () => {
    const init = oppo("init", "--arch", "tiny", "--random", "tiny");
    assert.equal(init.status, 1);
    assert.match(init.text, /libtorch, which is set up once\. Run: npx --no oppo setup \[ERR_NATIVE_MISSING\]\n$/);
    const doctor = oppo("doctor");
    assert.equal(doctor.status, 1);
    assert.match(doctor.text, /NO +compiler +no \S+\n +-> a C\+\+ compiler: \S/);
    assert.match(doctor.text, /NO +addon +not built yet .*\n +-> npx --no oppo setup\n/);
    assert.match(doctor.text, /ok +codecs/);
    const without = run(process.execPath, [join(installed, "scripts/setup.mjs")], { PATH: poorPath });
    assert.equal(without.status, 1);
    assert.match(without.text, /set-up: system packages: missing: g\+\+/);
  });

  it("computes after the set-up, which asks no registry", () => {
    const environment = { ...deadRegistry, OPPO_SKIP_SYSTEM: "1" };
    const setup = run("npx", ["--no", "oppo", "setup"], environment);
    assert.equal(setup.status, 0, setup.text);
    assert.match(setup.text, /built in .* against libtorch/);
    assert.doesNotMatch(setup.text, /npm packages|TypeScript/);
    works("init", "--arch", "tiny", "--random", "tiny");
    assert.match(works("inspect", "tiny"), /complete +yes/);
    const clip = put("clip.wav", "");
    const wave = Buffer.alloc(44 + 32_000);
    wave.write("RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data", "latin1");
    wave.writeUInt32LE(36 + 32_000, 4);
    wave.writeUInt32LE(32_000, 40);
    writeFileSync(clip, wave);
    works("infer", clip, "--model", "tiny", "--max-new-tokens", "4");
    assert.match(works("doctor"), /ok +addon +works on libtorch/);
  });

  it("a server ends with the npx that started it", async () => {
    const args = ["--no", "oppo", "serve", "reward", "--embedder", "theatre", "--port", "0"];
    assert.ok(await serve("npx", args, (pid) => process.kill(pid, "SIGKILL")));
  });
});
