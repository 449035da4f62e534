// Chat templates within bounds: real ones cost little, hostile ones end soon, and what both engines render is the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Template } from "@huggingface/jinja";
import { createChatTemplate } from "../../src/text/chat-template.ts";
import { renderWithin } from "../../src/text/template-budget.ts";

const render = (source: string) => createChatTemplate(source).render([{ role: "user", content: "hello" }]);

test("the same text as the library's own environment gives", () => {
  const items = { messages: [{ role: "user", content: "a b" }], n: 3 };
  for (const source of [
    "{% for i in range(n) %}{{ i }},{% endfor %}{% for i in range(5, 1, -2) %}{{ i }}{% endfor %}{{ range(2)|length }}",
    "{{ True }}{{ false }}{{ none }}{{ None is none }}{{ messages[0].content.split(' ')|join('-') }}",
    "{% set ns = namespace(x='') %}{% for m in messages %}{% set ns.x = ns.x ~ m.role %}{% endfor %}{{ ns.x }}",
    "{% macro f(x) %}<{{ x }}>{% endmacro %}{{ f('y') }}{{ messages|tojson }}{{ messages[::-1]|length }}",
    "{{ strftime_now('%Y') }}",
  ]) {
    const template = new Template(source);
    assert.equal(renderWithin(template, items, 3), template.render(items), source);
  }
  assert.throws(() => renderWithin(new Template("{{ raise_exception('no') }}"), {}, 0), /no/);
});

test("templates that would not end, or fill the memory", () => {
  const doubling = "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}";
  const start = performance.now();
  const before = process.memoryUsage().rss;
  for (const source of [
    "{% for a in range(1000000000) %}x{% endfor %}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% set r = range(99999) %}{% for a in r %}{% for b in r %}{% endfor %}{% endfor %}",
    "{% set r = range(99999) %}{% for a in r %}{{ r|length }}{% endfor %}",
    "{% set r = range(99999) %}{% for a in r %}{{ -1 in r }}{% endfor %}",
    "{% for a in range(99999) %}{% for b in range(99) %}abcdefghij{% endfor %}{% endfor %}",
    "{{ range(0, 1, 0) }}",
    "{{ range(1, 2, 0.0000000001) }}",
    `${doubling}{{ ns.x }}`,
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% set x = [0] %}{% for i in range(60) %}{% set x = x + x %}{% endfor %}",
  ]) {
    assert.throws(() => render(source), { code: "ERR_CHAT_TEMPLATE_RENDER" }, source);
  }
  assert.ok(performance.now() - start < 20_000, `${performance.now() - start} ms`);
  assert.ok(process.memoryUsage().rss - before < 2 ** 30);
});

test("sources that are too long or too deep for a template", () => {
  for (const source of ["x".repeat(200_001), `{{ ${"(".repeat(50_000)} }}`, `{{ ${"-".repeat(100_000)}1 }}`]) {
    assert.throws(() => createChatTemplate(source), { code: "ERR_CHAT_TEMPLATE_SYNTAX" });
  }
  const start = performance.now();
  for (const piece of ["{#", "{{", "{%", "{{ '", "{%- ", "#}", "{{ a|"]) {
    try {
      createChatTemplate(piece.repeat(Math.floor(200_000 / piece.length)));
    } catch {
      // Refused or not: soon.
    }
  }
  assert.ok(performance.now() - start < 20_000, `${performance.now() - start} ms`);
});

test("a conversation of many turns stays far below the budget", () => {
  const source =
    "{% for m in messages %}{% if loop.first and m.role != 'system' %}s{% endif %}<|{{ m.role }}|>{{ m.content | trim }}\n{% endfor %}";
  const messages = Array.from({ length: 2000 }, (_, i) => ({
    role: i % 2 ? ("assistant" as const) : ("user" as const),
    content: "word ".repeat(500),
  }));
  assert.equal(createChatTemplate(source).render(messages).split("\n").length, 2001);
});
