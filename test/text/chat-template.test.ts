// Chat templates: golden renderings, and where a checkpoint may keep its template.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { createChatTemplate, loadChatTemplate, type Message } from "../../src/text/chat-template.ts";
import { loadTokenizer } from "../../src/text/tokenizer.ts";
import { sharedPath } from "../support/shared.ts";

const plain =
  "{%- for m in messages -%}[{{ m['role'] }}]{%- if m['content'] is string -%}{{ m['content'] }}{%- else -%}" +
  "{%- for c in m['content'] -%}{%- if c['type'] == 'text' -%}{{ c['text'] }}{%- else -%}<{{ c['type'] }}>{%- endif -%}" +
  "{%- endfor -%}{%- endif -%}{%- endfor -%}{%- if add_generation_prompt -%}[assistant]{%- endif -%}";
const messages: readonly Message[] = [
  { role: "system", content: "be kind" },
  { role: "user", content: [{ type: "video" }, { type: "audio" }, { type: "text", text: "why?" }] },
];

test("renders strings and parts, and opens an assistant turn unless told not to", () => {
  const template = createChatTemplate(plain);
  assert.equal(template.render(messages), "[system]be kind[user]<video><audio>why?[assistant]");
  assert.equal(template.render(messages, { addGenerationPrompt: false }), "[system]be kind[user]<video><audio>why?");
});

test("text is inserted verbatim, never interpreted", () => {
  const text = "{{ 1 + 1 }} {% if x %} <b>&amp;</b>";
  assert.equal(createChatTemplate(plain).render([{ role: "user", content: text }]), `[user]${text}[assistant]`);
});

test("finds the template in each of its three places, first one first", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "oppo-template-"));
  const write = (name: string, content: string) => writeFileSync(path.join(directory, name), content);
  const rendered = () => loadChatTemplate(directory).render([]);
  try {
    assert.throws(rendered, {
      code: "ERR_CHAT_TEMPLATE_FILE",
      message: /expected a chat template in chat_template\.jinja/,
    });
    write("tokenizer_config.json", JSON.stringify({ eos_token: "x" }));
    assert.throws(rendered, { code: "ERR_CHAT_TEMPLATE_FILE" });
    write(
      "tokenizer_config.json",
      JSON.stringify({
        chat_template: [
          { name: "tools", template: "t" },
          { name: "default", template: "d" },
        ],
      }),
    );
    assert.equal(rendered(), "d");
    write("chat_template.json", JSON.stringify({ chat_template: "j" }));
    assert.equal(rendered(), "j");
    write("chat_template.jinja", "first");
    assert.equal(rendered(), "first");
    write("chat_template.jinja", "{% if %}");
    assert.throws(rendered, { code: "ERR_CHAT_TEMPLATE_SYNTAX", message: /expected a Jinja template/ });
    write("chat_template.jinja", "{{ raise_exception('roles must alternate') }}");
    assert.throws(rendered, { code: "ERR_CHAT_TEMPLATE_RENDER", message: /roles must alternate/ });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

interface GoldenCase {
  readonly name: string;
  readonly template: "omni" | "qwen25";
  readonly messages: Message[];
  readonly add_generation_prompt: boolean;
  readonly add_vision_id: boolean;
  readonly add_audio_id: boolean;
  readonly rendered: string;
  readonly ids: number[];
}

test("golden: the Omni and the Qwen2.5 template render and encode like the reference", (t) => {
  const directory = sharedPath("golden/qwen-omni");
  if (directory === null) return t.skip("golden/qwen-omni is not beside the repository");
  const golden = JSON.parse(readFileSync(path.join(directory, "chat_cases.json"), "utf8")) as {
    omni_template: string;
    qwen25_template: string;
    cases: GoldenCase[];
  };
  const tokenizer = loadTokenizer(path.join(directory, "tokenizer"));
  const templates = {
    omni: createChatTemplate(golden.omni_template),
    qwen25: createChatTemplate(golden.qwen25_template),
  };
  assert.ok(golden.cases.length >= 15, `saw ${golden.cases.length} cases`);
  for (const one of golden.cases) {
    const template = one.template === "omni" ? templates.omni : templates.qwen25;
    const rendered = template.render(one.messages, {
      addGenerationPrompt: one.add_generation_prompt,
      addVisionId: one.add_vision_id,
      addAudioId: one.add_audio_id,
    });
    assert.equal(rendered, one.rendered, one.name);
    assert.deepEqual([...tokenizer.encode(rendered)], one.ids, one.name);
  }
  const loaded = loadChatTemplate(path.join(directory, "omni"));
  const first = golden.cases.find((one) => one.template === "omni" && one.add_generation_prompt && !one.add_vision_id)!;
  assert.equal(loaded.render(first.messages), first.rendered);
  assert.notEqual(loaded.render(first.messages, { addGenerationPrompt: false }), first.rendered);
});
