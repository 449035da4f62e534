// A clip in a page: it plays where the page has room for it, else a frame of it stands there, or why there is none.
import { OppoError } from "../error.ts";
import type { MediaClip } from "../media/clip.ts";
import type { ClipPreview, ClipPreviews } from "./clip-preview.ts";
import { type Html, html } from "./html.ts";
import { videoView } from "./video-view.ts";

/** Of a clip, or why it cannot be shown. */
export type TriedPreview = ClipPreview | { readonly problem: string };

/** A clip that cannot be shown stops nothing: the page says why. @param decode as `previewDecoding` has it */
export async function tryPreview(previews: ClipPreviews, decode: () => Promise<MediaClip>): Promise<TriedPreview> {
  try {
    return await previews.of(await decode());
  } catch (error) {
    if (!(error instanceof OppoError)) throw error;
    return { problem: error.message };
  }
}

/** @param subtitle spoken; empty where nobody knows */
export function previewView(id: string, subtitle: string, preview: TriedPreview): Html | false {
  if ("problem" in preview) return html`<p class="muted">no clip to show: ${preview.problem}</p>`;
  const { posterUri, mediaUri, seconds, ratio } = preview;
  if (posterUri === null) return false;
  return mediaUri === null
    ? html`<img src="${posterUri}" alt="a frame of ${id}">`
    : videoView({ mediaUri, posterUri, subtitle, seconds, ratio, label: `the clip ${id}` });
}
