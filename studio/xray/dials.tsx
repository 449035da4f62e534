// The controls of one modality: which mask, how much of it, when, and, of the picture, where.
import type { ComponentChildren } from "preact";
import { type Dial, wholeBox } from "./change.ts";

export interface DialsProps {
  readonly title: string;
  readonly kinds: readonly string[];
  readonly dial: Dial;
  readonly onDial: (dial: Dial) => void;
  readonly hasBox: boolean;
  /** Controls of its own. */
  readonly children?: ComponentChildren;
}

const sides = ["left", "top", "right", "bottom"] as const;

export function Dials({ title, kinds, dial, onDial, hasBox, children }: DialsProps) {
  const range = (name: string, value: number, set: (value: number) => Partial<Dial>) => (
    <label class="field">
      <span>
        {name} {value}%
      </span>
      <input
        type="range"
        min="0"
        max="100"
        step="5"
        value={value}
        aria-label={`${title}: ${name}`}
        onInput={(event) => onDial({ ...dial, ...set(Number(event.currentTarget.value)) })}
      />
    </label>
  );
  const isWhole = dial.box.join() === wholeBox.join();
  return (
    <fieldset>
      <legend>{title}</legend>
      <label class="field">
        <span>mask</span>
        <select value={dial.kind} onChange={(event) => onDial({ ...dial, kind: event.currentTarget.value })}>
          {kinds.map((kind) => (
            <option key={kind} value={kind}>
              {kind}
            </option>
          ))}
        </select>
      </label>
      {range("dose", dial.dose, (dose) => ({ dose }))}
      <div class="pair">
        {range("from", dial.from, (from) => ({ from }))}
        {range("to", dial.to, (to) => ({ to }))}
      </div>
      {hasBox && (
        <details>
          <summary>{isWhole ? "the whole picture (drag over the clip for a part)" : "a part of the picture"}</summary>
          <div class="pair">
            {sides.map((side, i) =>
              range(side, dial.box[i]!, (value) => ({ box: dial.box.with(i, value) as unknown as Dial["box"] })),
            )}
          </div>
          <button type="button" onClick={() => onDial({ ...dial, box: wholeBox })}>
            The whole picture
          </button>
        </details>
      )}
      {children}
    </fieldset>
  );
}
