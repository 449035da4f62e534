// Where a mask lies beyond what the dials say: the tool that draws on the picture, and the band of the sound's frequencies.

import type { Tool } from "./brush.tsx";
import { type BandDial, wholeBand } from "./change.ts";

const tools: readonly (readonly [Tool, string])[] = [
  ["box", "rectangle"],
  ["paint", "brush"],
  ["erase", "eraser"],
];

export interface ToolsProps {
  readonly tool: Tool;
  readonly numPainted: number;
  readonly onTool: (tool: Tool) => void;
  readonly onClear: () => void;
}

export function Tools({ tool, numPainted, onTool, onClear }: ToolsProps) {
  return (
    <fieldset class="row-of-tools">
      <legend>draw with</legend>
      {tools.map(([name, title]) => (
        <button key={name} type="button" class="quiet" aria-pressed={tool === name} onClick={() => onTool(name)}>
          {title}
        </button>
      ))}
      {numPainted > 0 && (
        <button type="button" class="quiet" onClick={onClear}>
          no brush
        </button>
      )}
    </fieldset>
  );
}

const bandStep = 100;

export function BandDials({ band, onBand }: { readonly band: BandDial; readonly onBand: (band: BandDial) => void }) {
  const range = (title: string, at: 0 | 1) => (
    <label class="field">
      <span>
        {title} {band[at].toLocaleString("en-US")} Hz
      </span>
      <input
        type="range"
        min={wholeBand[0]}
        max={wholeBand[1]}
        step={bandStep}
        value={band[at]}
        aria-label={`Sound: ${title}`}
        onInput={(event) => onBand(band.with(at, Number(event.currentTarget.value)) as unknown as BandDial)}
      />
    </label>
  );
  return (
    <div class="pair">
      {range("above", 0)}
      {range("below", 1)}
    </div>
  );
}
