// Which files of a repository are taken: known names and plain shards of the index only.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chooseShards, chooseSmallFiles } from "../../src/hub/choose-files.ts";
import type { HubFile } from "../../src/hub/hub-client.ts";

const file = (path: string, size = 10): HubFile => ({ path, size, hash: { kind: "git", hex: "a".repeat(40) } });
const listing = (...paths: string[]) => paths.map((path) => file(path));
const names = (files: readonly HubFile[]) => files.map(({ path }) => path);
const companions = ["tokenizer.json", "vocab.json"];
const choose = (files: readonly HubFile[]) => chooseSmallFiles("me/model", files, companions);

describe("settings", () => {
  test("known names, config.json last; the index wins over a single file", () => {
    const all = listing("config.json", "model.safetensors", "tokenizer.json", "README.md", "run.py", "spk_dict.pt");
    const one = choose(all);
    assert.deepEqual(names(one.files), ["tokenizer.json", "config.json"]);
    assert.deepEqual([one.single?.path, one.index], ["model.safetensors", null]);
    const several = choose([...all, file("model.safetensors.index.json")]);
    assert.deepEqual([several.single, several.index?.path], [null, "model.safetensors.index.json"]);
    const adapter = choose(listing("adapter_model.safetensors", "adapter_config.json", "tokenizer.json"));
    assert.deepEqual(names(adapter.files), ["tokenizer.json", "adapter_config.json"]);
    assert.equal(adapter.single?.path, "adapter_model.safetensors");
  });

  test("pickles, no model, doubled names and giant settings are refused", () => {
    const cases: readonly (readonly [files: readonly HubFile[], code: string, text: RegExp])[] = [
      [listing("config.json", "pytorch_model.bin"), "ERR_HUB_PICKLE", /pytorch_model\.bin\), which can run any code/],
      [listing("config.json", "weights.msgpack"), "ERR_HUB_FILES", /got neither/],
      [listing("README.md"), "ERR_HUB_FILES", /a config\.json, got none/],
      [listing("sub/config.json", "../config.json"), "ERR_HUB_FILES", /got none/],
      [listing("config.json", "config.json", "model.safetensors"), "ERR_HUB_FILES", /"config\.json" twice/],
      [[file("config.json", 2 ** 40), file("model.safetensors")], "ERR_HUB_FILES", /at most 67108864 bytes/],
    ];
    for (const [files, code, message] of cases) assert.throws(() => choose(files), { code, message });
  });
});

describe("shards", () => {
  const files = listing("a.safetensors", "b.safetensors", "c.safetensors");
  const isOurs = (key: string) => !key.startsWith("talker.");
  const shards = (map: unknown) => chooseShards("me/model", files, map, isOurs);

  test("those with a tensor that is read; others are left", () => {
    const { wanted, left } = shards({ x: "a.safetensors", "talker.x": "a.safetensors", "talker.y": "b.safetensors" });
    assert.deepEqual([names(wanted), names(left)], [["a.safetensors"], ["b.safetensors"]]);
  });

  test("an index that points elsewhere, or lists nothing, is refused", () => {
    for (const name of [
      ...["../a.safetensors", "/etc/a.safetensors", "sub/a.safetensors", "a\\b.safetensors", "C:a.safetensors"],
      ...[".a.safetensors", "a.bin", "a.safetensors\n", "", 3, null, "..", "a\u0000.safetensors"],
    ]) {
      assert.throws(() => shards({ x: name }), { code: "ERR_HUB_FILES", message: /plain names/ }, String(name));
    }
    assert.throws(() => shards({ x: "d.safetensors" }), { code: "ERR_HUB_FILES", message: /the file d\.safetensors/ });
    for (const map of [null, undefined, {}, [], "a", ["a.safetensors"].slice(1)]) {
      assert.throws(() => shards(map), { code: "ERR_HUB_FILES", message: /weight_map/ });
    }
  });
});
