// Patterns of adapters: what Python's re.fullmatch says, in bounded time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePattern } from "../../../src/models/lora/pattern.ts";

const names = [
  "",
  "q_proj",
  "model.layers.0.self_attn.q_proj",
  "model.layers.11.mlp.down_proj",
  "thinker.model.layers.3.self_attn.v_proj",
  "visual.blocks.2.attn.q",
  "visual.merger.mlp.0",
  "audio_tower.layers.1.fc2",
  "MODEL.LAYERS.0",
  "aaaa",
  "a-b]c",
];

/** Where both languages agree, JavaScript's engine is the reference. */
const shared = [
  "",
  ".*",
  "q_proj|v_proj",
  "model\\.layers\\.\\d+\\.(self_attn\\.[qkvo]_proj|mlp\\.(gate|up|down)_proj)",
  "(thinker\\.)?model\\.layers\\.[0-3]\\..*_proj",
  "^(?!.*(?:visual|audio)).*_proj$",
  "^(model(?=\\.).*\\.(q_proj|v_proj|down_proj))$",
  ".*(?<!q)_proj",
  ".*(?<=down)_proj",
  "[^.]+(\\.[^.]+){5}",
  "(?:[a-z_]+\\.)*?[a-z_]+\\d?",
  "\\w+(\\.\\w+){2,4}",
  ".*\\b[01]\\b.*",
  ".*\\B1\\b.*",
  "a{4}|a{2,3}b|x{0,1}",
  "a*a*a*a*",
  "(a|aa)+",
  "(a?){4}",
  "a[-\\]b]+c",
  "[\\w.]+",
  ".*\\.\\x71_proj",
];

test("the same answers as an engine that backtracks", () => {
  let numMatches = 0;
  for (const source of shared) {
    const matches = compilePattern(source);
    const reference = new RegExp(`^(?:${source})$`);
    for (const name of names) {
      assert.equal(matches(name), reference.test(name), `${source} on ${name}`);
      if (matches(name)) numMatches++;
    }
  }
  assert.ok(numMatches > 30 && numMatches < (shared.length * names.length) / 2, `${numMatches} matches`);
});

test("what only Python writes so", () => {
  const says = (source: string, name: string) => compilePattern(source)(name);
  assert.ok(says("(?i)model\\.layers\\.\\d", "MODEL.LAYERS.0"));
  assert.ok(!says("model\\.layers\\.\\d", "MODEL.LAYERS.0"));
  assert.ok(says("(?i:model)\\.LAYERS\\.0", "MODEL.LAYERS.0"));
  assert.ok(!says("(?i:model)\\.layers\\.0", "MODEL.LAYERS.0"));
  assert.ok(says("(?P<part>q_proj)", "q_proj"));
  assert.ok(says("\\Aq_proj\\Z", "q_proj"));
  assert.ok(says("[]a]+", "a]") && says("[^]a]", "b") && !says("[^]a]", "]"));
  assert.ok(says("a{,3}", "aaa") && !says("a{,3}", "aaaa"));
  assert.ok(says("a{x}", "a{x}"), "a brace that repeats nothing stands for itself");
  assert.ok(says("q(?#of queries)_proj", "q_proj"));
});

test("no pattern, or one that places alone cannot answer", () => {
  for (const source of [
    ..."( ) [ a) *a a** a*+ a++ a{2}{3} a{3,2} (?>a) (?P<x (?P=x) \\1 (a)\\1 \\".split(" "),
    ..."(a)(?(1)b|c) [z-a] \\q (?x)a a(?i)b".split(" "),
    "(".repeat(200) + ")".repeat(200),
  ]) {
    assert.throws(() => compilePattern(source), SyntaxError, source);
  }
});

test("patterns on which engines that backtrack do not end", () => {
  const long = `${"a".repeat(60)}!`;
  const start = performance.now();
  for (const source of ["(a+)+", "(a|a)*", "(a|aa)+", "((a*)*)*", "(.*a){20}", "(?=(a+)+b).*", "(a{1000}){1000}"]) {
    assert.equal(compilePattern(source)(long), false, source);
  }
  assert.ok(performance.now() - start < 2000);
  assert.throws(() => compilePattern("((((a*)*)*)*)*b", 100)(long), RangeError);
});
