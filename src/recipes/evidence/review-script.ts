// What the page for review does: a cue is kept or dropped by a key or a press, decisions outlive the page where the browser keeps
// anything, and the accounts shown are written as JSON lines without what was dropped.
import { createHash } from "node:crypto";
import { type Html, html, jsonForScript, raw } from "../../page/html.ts";
import type { Extracted } from "./evidence-statistics.ts";

/** @param file what the download is called */
export function reviewScript(shown: readonly Extracted[], file: string): Html {
  const rows = shown.flatMap(({ account, extraction }) =>
    extraction.problem === null
      ? [{ row: account.row, cues: extraction.cues.map(({ kind, text }) => ({ kind, text })) }]
      : [],
  );
  const name = createHash("sha256").update(JSON.stringify(rows)).digest("hex").slice(0, 16);
  return html`<script>const review = ${jsonForScript({ rows, file, name: `oppo-review-${name}` })};${raw(script)}</script>`;
}

const script = `
const cues = [...document.querySelectorAll("button.cue")], said = document.getElementById("said");
let decisions = {};
try { decisions = JSON.parse(localStorage.getItem(review.name) ?? "{}"); } catch {}
function show() {
  let dropped = 0, looked = 0;
  for (const cue of cues) {
    const decision = decisions[cue.dataset.cue];
    cue.setAttribute("aria-pressed", String(decision !== "drop"));
    cue.classList.toggle("kept", decision === "keep");
    looked += decision !== undefined;
    dropped += decision === "drop";
  }
  said.textContent = looked + " of " + cues.length + " cues looked at, " + dropped + " dropped";
}
function decide(cue, decision) {
  decisions[cue.dataset.cue] = decision;
  try { localStorage.setItem(review.name, JSON.stringify(decisions)); } catch {}
  show();
}
function go(from, by) { cues[Math.min(cues.length - 1, Math.max(0, cues.indexOf(from) + by))]?.focus(); }
document.addEventListener("click", ({ target }) => {
  const cue = target.closest?.("button.cue");
  if (cue) decide(cue, decisions[cue.dataset.cue] === "drop" ? "keep" : "drop");
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("video")) return;
  const cue = document.activeElement?.closest?.("button.cue");
  const act = { k: "keep", d: "drop" }[event.key], by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (act === undefined && by === undefined) return;
  if (cue == null) { if (act === undefined) return; (cues.find((one) => decisions[one.dataset.cue] === undefined) ?? cues[0])?.focus(); }
  else if (act !== undefined) { decide(cue, act); go(cue, 1); }
  else go(cue, by);
  event.preventDefault();
});
document.getElementById("download").addEventListener("click", () => {
  const lines = review.rows.map(({ row, cues }, r) => JSON.stringify({ ...row, cues: cues.filter((_, c) => decisions[r + "/" + c] !== "drop") }) + "\\n");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(lines, { type: "application/jsonl" }));
  link.download = review.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
show();`;
