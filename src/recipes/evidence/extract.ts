// `oppo evidence extract`: written accounts to cues. The result depends on the accounts and the model's replies alone, not
// on how often the work was stopped, on faults of the server, or on the order of its answers.
import { mkdirSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { decodeSample } from "../../corpus/clips/sample-clip.ts";
import type { FieldMap } from "../../data/row-fields.ts";
import type { Sample } from "../../data/sample.ts";
import { askAll } from "../../endpoint/ask-all.ts";
import { openChatClient } from "../../endpoint/chat-client.ts";
import type { EndpointOptions } from "../../endpoint/endpoint-options.ts";
import type { EndpointStatistics } from "../../endpoint/statistics.ts";
import { OppoError } from "../../error.ts";
import { cueLexiconVersion } from "../../evidence/extraction/cue-lexicon.ts";
import { type AskOptions, type CueExtraction, extractCues } from "../../evidence/extraction/extract-cues.ts";
import { extractDescriptions } from "../../evidence/extraction/extract-descriptions.ts";
import { extractOffline } from "../../evidence/extraction/extract-offline.ts";
import { promptVersion } from "../../evidence/extraction/prompt.ts";
import { ClipPreviews, previewDecoding } from "../../page/clip-preview.ts";
import { tryPreview } from "../../page/preview-view.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import type { Progress } from "../../run/progress.ts";
import { type Account, type AccountSource, readAccounts } from "./accounts.ts";
import { type EvidenceStatistics, type Extracted, type Extractor, evidenceStatistics } from "./evidence-statistics.ts";
import { chooseExamples, type Example, reviewPage } from "./review-page.ts";

export interface ExtractRequest {
  readonly source: AccountSource;
  /** JSON lines; statistics and the page of examples go beside it. */
  readonly out: string;
  /** A model behind an endpoint; null for the rules. */
  readonly endpoint: EndpointOptions | null;
  /** How the model is asked. */
  readonly ask?: AskOptions;
  readonly limit: number | null;
  /** Accounts without a usable result to tolerate; null: 2 in 100, and 10 at least. */
  readonly maxSkipped: number | null;
  readonly maxBadRows: number;
  /** Where rows call things by other names than the usual ones. */
  readonly fields?: FieldMap | undefined;
  /** Accounts on the page. */
  readonly numExamples: number;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

export interface ExtractResult {
  readonly files: { readonly samples: string; readonly statistics: string; readonly page: string };
  readonly statistics: EvidenceStatistics;
  /** What it took, this time; null for the rules. */
  readonly endpoint: EndpointStatistics | null;
}

const skippedShare = 0.02;
const fewestTolerated = 10;
/** Accounts between two looks at whether to stop. */
const stride = 64;

/** @throws OppoError ERR_EVIDENCE_SKIPPED, ERR_EVIDENCE_SOURCE, ERR_EVIDENCE_CHOICE, ERR_ENDPOINT and its siblings; InterruptedError */
export async function extractEvidence(request: ExtractRequest): Promise<ExtractResult> {
  const { source, out, endpoint, limit, maxBadRows, progress, interrupt } = request;
  if ("file" in source && resolve(source.file) === resolve(out)) throw sameFile(out);
  mkdirSync(dirname(out), { recursive: true });
  const {
    accounts,
    source: sourceName,
    badRows,
  } = await readAccounts(source, {
    ...{ out, limit, maxBadRows },
    fields: request.fields,
  });
  const maxSkipped = request.maxSkipped ?? Math.max(fewestTolerated, Math.ceil(skippedShare * accounts.length));
  const onNotice = (line: string) => progress.log(line);
  using client = endpoint === null ? null : openChatClient({ ...endpoint, signal: interrupt.signal, onNotice });
  const extract =
    client === null
      ? async (text: string) => extractOffline(text)
      : (text: string) => extractCues(client, text, request.ask);
  const extractor: Extractor =
    endpoint === null
      ? { kind: "offline rules, no model", version: cueLexiconVersion }
      : { kind: "model", model: endpoint.model, version: promptVersion };

  const stage = progress.stage("accounts", accounts.length);
  const counts = { cues: 0, dropped: 0, skipped: 0 };
  const extracted = await askAll(accounts, endpoint?.concurrency ?? 1, async (account, index): Promise<Extracted> => {
    if (index % stride === 0) await interrupt.safePoint();
    const { descriptions, text } = account;
    const extraction = await (descriptions === undefined ? extract(text) : extractDescriptions(descriptions, extract));
    counts.cues += extraction.cues.length;
    counts.dropped += extraction.dropped.length;
    if (extraction.problem !== null && ++counts.skipped > maxSkipped) {
      throw tooManySkipped(account, extraction, maxSkipped);
    }
    stage.advance(`${counts.cues} cues, ${counts.dropped} dropped, ${counts.skipped} skipped`);
    return { account, extraction };
  });
  stage.finish();

  const statistics = evidenceStatistics({ extractor, source: sourceName, extracted, badRows });
  if (statistics.samples === 0) throw nothingUsable(sourceName, statistics);
  const stem = out.replace(/\.jsonl$/, "");
  const files = { samples: out, statistics: `${stem}.statistics.json`, page: `${stem}.review.html` };
  replaceFile(files.samples, extracted.flatMap(sampleLine).join(""));
  replaceFile(files.statistics, `${JSON.stringify(statistics, null, 2)}\n`);
  const examples = await withClips(chooseExamples(extracted, request.numExamples), dirname(out));
  replaceFile(files.page, reviewPage(statistics, examples, { numAccounts: extracted.length, samples: basename(out) }));
  return { files, statistics, endpoint: client?.statistics() ?? null };
}

/** Of the mp4s of the page. */
const pageBytes = 2_000_000;

async function withClips(examples: readonly Extracted[], root: string): Promise<Example[]> {
  using previews = new ClipPreviews(pageBytes);
  const shown: Example[] = [];
  for (const one of examples) {
    const { id, row } = one.account;
    const { media, audio } = row as Partial<Pick<Sample, "media" | "audio">>;
    const files = { id, media: media ?? "", ...(audio === undefined ? {} : { audio }) };
    const decode = () => decodeSample(root, files, previewDecoding);
    shown.push({ ...one, clip: media === undefined ? null : await tryPreview(previews, decode) });
  }
  return shown;
}

/** Accounts without a usable result are left out: a sample without cues would count as one that shows nothing. */
function sampleLine({ account, extraction }: Extracted): string[] {
  if (extraction.problem !== null) return [];
  const cues = extraction.cues.map(({ kind, text }) => ({ kind, text }));
  return [`${JSON.stringify({ ...account.row, cues })}\n`];
}

function sameFile(out: string): OppoError {
  return new OppoError(
    "ERR_EVIDENCE_CHOICE",
    `${out}: expected another file to write than the one that is read, got the same. Accounts that are left out would be lost.`,
  );
}

function nothingUsable(source: string, { accounts, skipped }: EvidenceStatistics): OppoError {
  const reasons = Object.entries(skipped).map(([problem, { count }]) => `${count} ${problem}`);
  return new OppoError(
    "ERR_EVIDENCE_SKIPPED",
    `${source}: expected a usable result of some of ${accounts} accounts, got none: ${reasons.join(", ")}. Look at the ` +
      "accounts or try another model.",
  );
}

function tooManySkipped(account: Account, { problem }: CueExtraction, maxSkipped: number): OppoError {
  return new OppoError(
    "ERR_EVIDENCE_SKIPPED",
    `${account.id}: expected at most ${maxSkipped} accounts without a usable result, got one more: ${problem}. Look at the ` +
      "accounts or try another model; --max-skipped raises the limit. What was answered is kept.",
  );
}
