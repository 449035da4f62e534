// Where the rows of the towers go: a prompt of the thinker as its decoder reads it.
import { OppoError } from "../../error.ts";
import type { DecoderPrompt, MediaRows } from "../decoder/prompt.ts";
import type { ModelPrompt } from "../omni-model.ts";
import type { ThinkerTokens } from "./clips.ts";
import type { SpecialIds } from "./config.ts";

/** @throws OppoError ERR_MEDIA_ROW_COUNT when a tower's rows are not as many as its placeholders */
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
