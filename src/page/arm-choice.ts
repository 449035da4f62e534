// On a phone one arm at a time: a choice above the clips, without a script. Where there is room all stand side by side.
import { type Html, html } from "./html.ts";

export interface PlacedArm {
  readonly title: string;
  /** Among the arms, from 0. */
  readonly place: number;
}

/** @param chosen at first. Comes before a `.clips` whose sections have a `data-arm`. */
export function armChoice(titles: readonly string[], chosen: number): Html {
  return html`<fieldset class="arm-choice"><legend>Show what was said by</legend>${titles.map(
    (title, place) =>
      html`<label><input type="radio" name="arm" id="arm-${place}"${place === chosen && html` checked`}> ${title}</label>`,
  )}</fieldset>`;
}

export function armChoiceStyle(numArms: number): string {
  const hidden = Array.from(
    { length: numArms },
    (_, place) => `.arm-choice:has(#arm-${place}:checked)~.clips [data-arm]:not([data-arm="${place}"])`,
  );
  return `
.arm-choice { display:none; border:0; padding:.5em 0; margin:.6em 0; gap:.3em 1em; flex-wrap:wrap; position:sticky; top:0; z-index:2; background:var(--paper); } .arm-choice legend { float:left; width:100%; padding:0; color:var(--soft); font-size:.88rem; } .arm-choice label { display:inline-flex; gap:.4em; align-items:center; min-height:2em; }
@media screen and (max-width:640px) { .arm-choice { display:flex; } ${hidden.join(",")} { display:none; } }
`;
}
