// What lies over the clip: the part that is masked, drawn with the pointer, and the map of what a clause hangs on.
import { useRef, useState } from "preact/hooks";
import { type Dial, grid } from "./change.ts";

export interface BrushProps {
  readonly dial: Dial;
  readonly onBox: (box: Dial["box"]) => void;
  /** Nats of every cell of every moment; null: no map. */
  readonly heat: readonly number[] | null;
  readonly moment: number;
}

const smallest = 3;

export function Brush({ dial, onBox, heat, moment }: BrushProps) {
  const area = useRef<HTMLDivElement>(null);
  const start = useRef<readonly [number, number] | null>(null);
  const [drawn, setDrawn] = useState<Dial["box"] | null>(null);
  const at = ({ clientX, clientY }: PointerEvent): readonly [number, number] => {
    const { left, top, width, height } = area.current!.getBoundingClientRect();
    const share = (value: number) => Math.round(100 * Math.min(1, Math.max(0, value)));
    return [share((clientX - left) / width), share((clientY - top) / height)];
  };
  const box = (event: PointerEvent): Dial["box"] => {
    const [[x, y], [startX, startY]] = [at(event), start.current!];
    return [Math.min(x, startX), Math.min(y, startY), Math.max(x, startX), Math.max(y, startY)];
  };
  const end = (event: PointerEvent) => {
    if (start.current === null) return;
    const [left, top, right, bottom] = box(event);
    start.current = null;
    setDrawn(null);
    if (right - left >= smallest && bottom - top >= smallest) onBox([left, top, right, bottom]);
  };
  const [left, top, right, bottom] = drawn ?? dial.box;
  const isShown = drawn !== null || dial.dose > 0;
  const { columns, rows } = grid;
  const cells = heat?.slice(moment * columns * rows, (moment + 1) * columns * rows) ?? [];
  const largest = Math.max(1e-6, ...(heat ?? []).slice(0, columns * rows * grid.moments));
  return (
    <div
      ref={area}
      class="brush"
      aria-hidden="true"
      onPointerDown={(event) => {
        start.current = at(event);
        area.current!.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => start.current !== null && setDrawn(box(event))}
      onPointerUp={end}
    >
      {cells.map((nats, i) => (
        <i
          key={i}
          class="cell"
          title={`${nats.toFixed(3)} nats`}
          style={{
            left: `${(100 * (i % columns)) / columns}%`,
            top: `${(100 * Math.floor(i / columns)) / rows}%`,
            width: `${100 / columns}%`,
            height: `${100 / rows}%`,
            "--strength": `${Math.round((100 * nats) / largest)}%`,
          }}
        />
      ))}
      {isShown && (
        <i
          class="box"
          style={{ left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%` }}
        />
      )}
    </div>
  );
}
