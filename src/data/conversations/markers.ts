// Texts with `<video>` and `<audio>` where a clip belongs, as HumanOmni's and ms-swift's files have them, cut into parts. A row
// whose markers are not as many as its media is no row.
import type { Modality } from "../../media/clip.ts";
import type { ClipFiles, ConversationPart, ConversationTurn } from "./conversation.ts";

/** Files of a row, in the order of their markers; paths below the media's root. */
export interface RowMedia {
  readonly videos: readonly string[];
  readonly audios: readonly string[];
}

export interface MarkedTurn {
  readonly role: ConversationTurn["role"];
  readonly text: string;
}

export interface MarkerRules {
  /** A video is shown with its own sound also where no `<audio>` follows it. */
  readonly withSound: boolean;
}

const marker = /(<video>|<audio>|<image>)/;
/** An `<audio>` right behind a `<video>` is that clip's sound. */
const pair = /<video>\s*<audio>/;

/** Media that no marker places stand before the first user turn, as ms-swift does. */
function withMarkers(turns: readonly MarkedTurn[], { videos, audios }: RowMedia): readonly MarkedTurn[] {
  if (turns.some(({ text }) => marker.test(text))) return turns;
  const first = turns.findIndex(({ role }) => role === "user");
  const pairs = videos.map((_, i) => `<video>${i < audios.length ? "<audio>" : ""}`).join("");
  const front = pairs + "<audio>".repeat(Math.max(0, audios.length - videos.length));
  return turns.map((turn, i) => (i === first ? { ...turn, text: `${front}${turn.text}` } : turn));
}

/** Turns with their clips in place, or what is wrong. */
export function placeMedia(
  given: readonly MarkedTurn[],
  media: RowMedia,
  rules: MarkerRules,
): { readonly turns: readonly ConversationTurn[] } | { readonly reason: string } {
  const turns = withMarkers(given, media);
  const text = turns.map((turn) => turn.text).join("\n");
  if (text.includes("<image>")) return { reason: "a picture (<image>): videos and sound are learnt from" };
  for (const [name, files] of [["video", media.videos] as const, ["audio", media.audios] as const]) {
    const markers = text.split(`<${name}>`).length - 1;
    if (markers !== files.length) return { reason: `${markers} <${name}> for ${files.length} files` };
  }
  const next = { video: 0, audio: 0 };
  return {
    turns: turns.map(({ role, text: own }): ConversationTurn => {
      const pieces = own.split(new RegExp(`(${pair.source}|<video>|<audio>)`));
      return { role, parts: pieces.flatMap((piece) => partOf(piece, media, next, rules)) };
    }),
  };
}

function partOf(
  piece: string,
  { videos, audios }: RowMedia,
  next: { video: number; audio: number },
  { withSound }: MarkerRules,
): ConversationPart[] {
  if (pair.test(piece)) return [clipPart(videos[next.video++]!, audios[next.audio++]!, ["video", "audio"])];
  if (piece === "<video>") {
    const file = videos[next.video++]!;
    return [
      withSound ? { type: "clip", clip: { id: file, media: file }, shows: null } : clipPart(file, file, ["video"]),
    ];
  }
  if (piece === "<audio>") {
    const file = audios[next.audio++]!;
    return [clipPart(file, file, ["audio"])];
  }
  // Line breaks around a marker belong to it.
  const text = piece.trim();
  return text === "" ? [] : [{ type: "text", text }];
}

function clipPart(video: string, audio: string, shows: readonly Modality[]): ConversationPart {
  const clip: ClipFiles =
    video === audio ? { id: video, media: video } : { id: `${video} + ${audio}`, media: video, audio };
  return { type: "clip", clip, shows };
}
