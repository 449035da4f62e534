// A job that compares: how much each token of a completion depends on what a change takes from its clip. The clip is decoded once;
// changes run in portions, and between two portions the job may be cancelled.
import type { ClipFeatures, ModelPrompt, OmniModel, PromptTokens } from "../../models/omni-model.ts";
import { viewDivergences } from "../../rl/divergence.ts";
import { noGrad, scope } from "../../tensor/index.ts";
import { HttpError } from "../http/http-error.ts";
import type { DecodedClips } from "./media/decoded-clips.ts";
import { changedClip, fittedClip } from "./medium.ts";
import type { Comparison, FromEngine, MediaFile } from "./protocol.ts";

/** Enough to fill the matrix products of a small model; a large one has them full with less. */
const changesAtOnce = 8;

export interface ComparisonWork {
  readonly job: number;
  readonly comparison: Comparison;
  readonly file: MediaFile | undefined;
  readonly tokens: PromptTokens;
  /** Longest prompt. */
  readonly maxTokens: number;
  readonly clips: DecodedClips;
  readonly send: (message: FromEngine) => void;
  readonly isCancelled: () => boolean;
}

/** Tells the divergences of every change. @throws HttpError when nobody waits any more, MediaError, those of masks */
export async function compare(model: OmniModel, work: ComparisonWork): Promise<void> {
  const { job, comparison, file, tokens, maxTokens, clips, send, isCancelled } = work;
  const { completion, changes } = comparison;
  if (file?.kind !== "video") {
    throw new HttpError(400, "ERR_REQUEST_MEDIA", "media: expected a video to compare under changes, got none.");
  }
  const clip = await fittedClip(model, file, { maxTokens, clips });
  const ids = Int32Array.from(completion);
  const intact = model.features(clip);
  for (let start = 0; start < changes.length; start += changesAtOnce) {
    if (isCancelled()) throw cancelledJob();
    const features: ClipFeatures[] = [intact];
    for (const change of changes.slice(start, start + changesAtOnce)) {
      features.push(model.features(await changedClip(clip, change, { clips })));
    }
    const values = scope(() => {
      const rows = noGrad(() => model.encode(features));
      const [full, ...views] = rows.map((one): ModelPrompt => ({ tokens, rows: one }));
      return viewDivergences(model, full!, views, ids);
    });
    for (const [i, nats] of values.entries()) {
      send({ kind: "compared", job, change: start + i, nats: Array.from(nats) });
    }
  }
}

function cancelledJob(): HttpError {
  return new HttpError(503, "ERR_SERVER_STOPPING", "request: expected somebody to wait for it, got nobody.");
}
