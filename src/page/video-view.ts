// A clip that plays, with what is said in it as captions; its controls stand below the picture.
import { type Html, html } from "./html.ts";

export interface PlayedClip {
  /** A `data:` URI of an mp4. */
  readonly mediaUri: string;
  readonly posterUri: string;
  /** Spoken; no captions where it is empty. */
  readonly subtitle: string;
  /** In seconds; captions last as long. */
  readonly seconds?: number;
  /** Width by height; left out: square. */
  readonly ratio?: number;
  /** What it is, for who cannot see it. */
  readonly label: string;
}

const longestClip = 3600;

/** Its width is the style sheet's `--wide`. */
export function videoView({
  mediaUri,
  posterUri,
  subtitle,
  seconds = longestClip,
  ratio = 1,
  label,
}: PlayedClip): Html {
  return html`<video controls playsinline loop preload="metadata" style="--ratio:${ratio.toFixed(3)}" aria-label="${label}" poster="${posterUri}" src="${mediaUri}">${
    subtitle !== "" &&
    html`<track kind="captions" srclang="en" label="what is said" src="data:text/vtt;base64,${captions(subtitle, seconds)}">`
  }</video>`;
}

/** WebVTT of one line for the whole clip. Its markup is `<` and `&`; an empty line would end it. */
function captions(line: string, seconds: number): string {
  const text = line.replace(/\s+/g, " ").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const at = (time: number) =>
    [time / 3600, (time / 60) % 60].map((part) => `${String(Math.floor(part)).padStart(2, "0")}:`).join("") +
    (time % 60).toFixed(3).padStart(6, "0");
  return Buffer.from(`WEBVTT\n\n${at(0)} --> ${at(seconds)}\n${text}\n`).toString("base64");
}
