// Free memory is what Linux calls available, or what a control group leaves of it.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { freeHostMemory } from "../../../src/train/memory/free-memory.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const meminfo = "MemTotal:       24000000 kB\nMemFree:         1000000 kB\nMemAvailable:   16000000 kB\n";

function files(folder: string, groups: string) {
  writeFileSync(join(folder, "meminfo"), meminfo);
  writeFileSync(join(folder, "cgroup"), groups);
  return { memory: join(folder, "meminfo"), groups: join(folder, "cgroup"), groupRoot: join(folder, "groups") };
}

test("without a limit it is what is available", (t) => {
  const folder = temporaryFolder(t);
  const system = files(folder, "0::/user\n");
  mkdirSync(join(system.groupRoot, "user"), { recursive: true });
  writeFileSync(join(system.groupRoot, "user", "memory.max"), "max\n");
  writeFileSync(join(system.groupRoot, "user", "memory.current"), "5\n");
  assert.equal(freeHostMemory(system), 16_000_000 * 1024);
});

test("a group's limit counts, and file pages that it can let go", (t) => {
  const folder = temporaryFolder(t);
  const system = files(folder, "0::/docker/one\n");
  mkdirSync(system.groupRoot);
  writeFileSync(join(system.groupRoot, "memory.max"), "4000000000\n");
  writeFileSync(join(system.groupRoot, "memory.current"), "3500000000\n");
  writeFileSync(join(system.groupRoot, "memory.stat"), "anon 1\ninactive_file 200000000\n");
  assert.equal(freeHostMemory(system), 700_000_000);
});

test("groups of version 1 have other names", (t) => {
  const folder = temporaryFolder(t);
  const system = files(folder, "7:memory:/job\n3:cpu,cpuacct:/job\n");
  const own = join(system.groupRoot, "memory", "job");
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, "memory.limit_in_bytes"), "1000\n");
  writeFileSync(join(own, "memory.usage_in_bytes"), "400\n");
  assert.equal(freeHostMemory(system), 600);
});

test("of this machine it is some, and not more than there is", () => {
  const free = freeHostMemory();
  assert.ok(free > 1e6 && free < 1e14);
});
