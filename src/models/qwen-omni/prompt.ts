// Placeholders: every <|AUDIO|>, <|IMAGE|>, <|VIDEO|> id of a rendered chat becomes as many copies as its tower gives rows, and
// the rows take the copies' places in what the decoder reads. Works on ids, which is the same as on text because
// placeholders are added tokens.
import { OppoError } from "../../error.ts";
import type { DecoderPrompt, MediaRows } from "../decoder/prompt.ts";
import type { ModelPrompt } from "../omni-model.ts";
import type { ThinkerTokens } from "./clips.ts";
import type { SpecialIds, ThinkerConfig } from "./config/config.ts";
import { audioTokens, chunkRanges, type MediaLayout, type VideoLayout, visionTokens } from "./layout.ts";

/** What the expansion depends on of a configuration. */
export type ExpansionRules = Pick<ThinkerConfig, "ids" | "positionsPerSecond" | "secondsPerChunk"> & {
  readonly vision: { readonly mergeSize: number };
};

/**
 * Expands the placeholders of one prompt; media are consumed in the order of their placeholders.
 * @throws OppoError `ERR_PLACEHOLDER_COUNT` when placeholders and media do not match in number
 */
export function expandPlaceholders(ids: ArrayLike<number>, media: MediaLayout, rules: ExpansionRules): Int32Array {
  const { ids: special, vision } = rules;
  const out: number[] = [];
  let image = 0;
  let video = 0;
  let audio = 0;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (id === special.audio) {
      pushCopies(out, id, audioTokens(taken(media.audioFrames, audio++, "audio")));
    } else if (id === special.image) {
      pushCopies(out, id, visionTokens(taken(media.images, image++, "image"), vision.mergeSize));
    } else if (id === special.video) {
      const layout = taken(media.videos, video++, "video");
      if (!media.audioInVideo) pushCopies(out, id, visionTokens(layout.grid, vision.mergeSize));
      else pushInterleaved(out, layout, audioTokens(taken(media.audioFrames, audio++, "audio")), rules);
    } else {
      out.push(id);
    }
  }
  for (const [name, used, given] of [
    ["audio", audio, media.audioFrames.length],
    ["image", image, media.images.length],
    ["video", video, media.videos.length],
  ] as const) {
    if (used !== given) throw countError(name, used, given);
  }
  return Int32Array.from(out);
}

/** <|audio_bos|>, then video and audio chunks of secondsPerChunk in turn, then <|audio_eos|>. */
function pushInterleaved(out: number[], video: VideoLayout, numAudio: number, rules: ExpansionRules): void {
  const perChunk = rules.positionsPerSecond * rules.secondsPerChunk;
  const numVideo = visionTokens(video.grid, rules.vision.mergeSize);
  const perStep = numVideo / video.grid[0];
  const times = Float64Array.from(
    { length: numVideo },
    (_, i) => Math.floor(i / perStep) * video.secondsPerGrid * rules.positionsPerSecond,
  );
  const videoChunks = chunkRanges(times, perChunk);
  const audioChunks = chunkRanges(
    Int32Array.from({ length: numAudio }, (_, i) => i),
    perChunk,
  );
  out.push(rules.ids.audioStart);
  for (let c = 0; c < Math.max(videoChunks.length, audioChunks.length); c++) {
    const videoChunk = videoChunks[c];
    const audioChunk = audioChunks[c];
    if (videoChunk) pushCopies(out, rules.ids.video, videoChunk[1] - videoChunk[0]);
    if (audioChunk) pushCopies(out, rules.ids.audio, audioChunk[1] - audioChunk[0]);
  }
  out.push(rules.ids.audioEnd);
}

function pushCopies(out: number[], id: number, count: number): void {
  for (let i = 0; i < count; i++) out.push(id);
}

function taken<T>(media: readonly T[], index: number, name: string): T {
  const item = media[index];
  if (item === undefined) throw countError(name, index + 1, media.length);
  return item;
}

function countError(name: string, placeholders: number, given: number): OppoError {
  return new OppoError(
    "ERR_PLACEHOLDER_COUNT",
    `prompt: expected ${given} ${name} placeholders (as many as media), got ${placeholders}. Give each medium one placeholder.`,
  );
}

/** Ids that a completion must never contain: media placeholders and their markers. */
export function mediaIds(ids: SpecialIds): number[] {
  return [ids.audio, ids.image, ids.video, ids.audioStart, ids.audioEnd, ids.visionStart, ids.visionEnd];
}

/**
 * Prompts as the decoder reads them: the rows of the towers in the places of their placeholders.
 * @throws OppoError ERR_MEDIA_ROW_COUNT when a tower's rows are not as many as its placeholders
 */
export function decoderPrompts(prompts: readonly ModelPrompt[], special: SpecialIds): DecoderPrompt[] {
  return prompts.map(({ tokens, rows }, index) => {
    const { ids, positions } = tokens as ThinkerTokens;
    // Videos and images are rows of one tower, in the order of their placeholders.
    const towers = [
      { name: "video", placeholders: [special.video, special.image], rows: rows?.video },
      { name: "audio", placeholders: [special.audio], rows: rows?.audio },
    ];
    const media = towers.flatMap((tower): MediaRows[] => {
      const places: number[] = [];
      for (let i = 0; i < ids.length; i++) if (tower.placeholders.includes(ids[i]!)) places.push(i);
      const given = tower.rows?.size(0) ?? 0;
      if (places.length !== given) throw rowCountError(index, tower.name, places.length, given);
      return tower.rows ? [{ places, rows: tower.rows }] : [];
    });
    return { ids, positions, media };
  });
}

function rowCountError(prompt: number, name: string, placeholders: number, rows: number): OppoError {
  return new OppoError(
    "ERR_MEDIA_ROW_COUNT",
    `prompt ${prompt}: expected ${placeholders} ${name} rows (its placeholders), got ${rows}. ` +
      "Encode the clip that the prompt was made for; a prompt must end in text.",
  );
}
