// What lies over the clip: the part that is masked, drawn with the pointer as a rectangle or with a free brush (or, on the brush's grid, by
// keys), and the map of what a clause hangs on.
import { useRef, useState } from "preact/hooks";
import { type Dial, faintNats, grid, paintGrid } from "./change.ts";

/** A rectangle, or cells that are painted and taken away again. */
export type Tool = "box" | "paint" | "erase";

export interface BrushProps {
  readonly dial: Dial;
  readonly tool: Tool;
  /** The picture below shows the mask itself: only its edges are drawn. */
  readonly isApplied: boolean;
  readonly onBox: (box: Dial["box"]) => void;
  readonly painted: ReadonlySet<number>;
  readonly onPainted: (cells: ReadonlySet<number>) => void;
  /** Nats of every cell of every moment; null: no map. */
  readonly heat: readonly number[] | null;
  readonly moment: number;
}

type Point = readonly [x: number, y: number];
const smallest = 3;
const arrows: Readonly<Record<string, Point>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export function Brush({ dial, tool, isApplied, onBox, painted, onPainted, heat, moment }: BrushProps) {
  const area = useRef<HTMLDivElement>(null);
  const start = useRef<Point | null>(null);
  const last = useRef<Point | null>(null);
  const [drawn, setDrawn] = useState<Dial["box"] | null>(null);
  const [stroke, setStroke] = useState<ReadonlySet<number> | null>(null);
  const [cursor, setCursor] = useState<Point>([paintGrid.columns / 2, paintGrid.rows / 2]);
  const at = ({ clientX, clientY }: PointerEvent): Point => {
    const { left, top, width, height } = area.current!.getBoundingClientRect();
    const share = (value: number) => Math.round(100 * Math.min(1, Math.max(0, value)));
    return [share((clientX - left) / width), share((clientY - top) / height)];
  };
  const box = (event: PointerEvent): Dial["box"] => {
    const [[x, y], [startX, startY]] = [at(event), start.current!];
    return [Math.min(x, startX), Math.min(y, startY), Math.max(x, startX), Math.max(y, startY)];
  };
  const begin = (event: PointerEvent) => {
    start.current = last.current = at(event);
    area.current!.setPointerCapture(event.pointerId);
    if (tool !== "box") setStroke(brushed(painted, last.current, last.current, tool));
  };
  const go = (event: PointerEvent) => {
    if (start.current === null) return;
    if (tool === "box") return setDrawn(box(event));
    const [from, to] = [last.current!, at(event)];
    last.current = to;
    setStroke((before) => brushed(before ?? painted, from, to, tool));
  };
  const end = (event: PointerEvent) => {
    if (start.current === null) return;
    if (tool === "box") {
      const [left, top, right, bottom] = box(event);
      if (right - left >= smallest && bottom - top >= smallest) onBox([left, top, right, bottom]);
    } else onPainted(brushed(stroke ?? painted, last.current!, at(event), tool));
    start.current = null;
    setDrawn(null);
    setStroke(null);
  };
  const byKey = (event: KeyboardEvent) => {
    const arrow = arrows[event.key];
    if (arrow === undefined && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    if (arrow === undefined) {
      const cell = cursor[1] * paintGrid.columns + cursor[0];
      return onPainted(changedTo(painted, [cell], !painted.has(cell)));
    }
    const within = (value: number, size: number) => Math.min(size - 1, Math.max(0, value));
    setCursor([within(cursor[0] + arrow[0], paintGrid.columns), within(cursor[1] + arrow[1], paintGrid.rows)]);
  };
  const [left, top, right, bottom] = drawn ?? dial.box;
  const isShown = drawn !== null || dial.dose > 0;
  const keyed =
    tool === "box"
      ? { "aria-hidden": true as const }
      : {
          ...{ tabIndex: 0, role: "application" as const, onKeyDown: byKey },
          "aria-label": `brush on the picture: arrows move, space paints; column ${cursor[0] + 1}, row ${cursor[1] + 1}, ${painted.size} cells painted`,
        };
  return (
    <div
      ref={area}
      class={`brush ${tool} ${isApplied ? "applied" : ""}`}
      {...keyed}
      onPointerDown={begin}
      onPointerMove={go}
      onPointerUp={end}
    >
      <Heat heat={heat} moment={moment} />
      {[...(stroke ?? painted)].map((cell) => (
        <i key={`p${cell}`} class="painted" style={placeOf(cell, paintGrid)} />
      ))}
      {tool !== "box" && <i class="cursor" style={placeOf(cursor[1] * paintGrid.columns + cursor[0], paintGrid)} />}
      {isShown && (
        <i
          class="box"
          style={{ left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%` }}
        />
      )}
    </div>
  );
}

function Heat({ heat, moment }: Pick<BrushProps, "heat" | "moment">) {
  if (heat === null) return null;
  const { columns, rows } = grid;
  const cells = heat.slice(moment * columns * rows, (moment + 1) * columns * rows);
  const largest = Math.max(faintNats, ...heat.slice(0, columns * rows * grid.moments));
  return (
    <>
      {cells.map((nats, i) => (
        <i
          key={i}
          class="cell"
          title={`${nats.toFixed(3)} nats`}
          style={{ ...placeOf(i, grid), "--strength": `${Math.round((100 * nats) / largest)}%` }}
        />
      ))}
    </>
  );
}

function placeOf(cell: number, { columns, rows }: { readonly columns: number; readonly rows: number }) {
  return {
    left: `${(100 * (cell % columns)) / columns}%`,
    top: `${(100 * Math.floor(cell / columns)) / rows}%`,
    width: `${100 / columns}%`,
    height: `${100 / rows}%`,
  };
}

/** The cells that a brush passes from one point to the next, in percent, painted or taken away. */
function brushed(cells: ReadonlySet<number>, from: Point, to: Point, tool: Tool): ReadonlySet<number> {
  const { columns, rows } = paintGrid;
  const numSteps = Math.max(1, Math.ceil((Math.hypot(to[0] - from[0], to[1] - from[1]) * columns) / 50));
  const passed = Array.from({ length: numSteps + 1 }, (_, i) => {
    const [x, y] = [0, 1].map((axis) => from[axis]! + ((to[axis]! - from[axis]!) * i) / numSteps) as [number, number];
    const column = Math.min(columns - 1, Math.floor((x * columns) / 100));
    return Math.min(rows - 1, Math.floor((y * rows) / 100)) * columns + column;
  });
  return changedTo(cells, passed, tool === "paint");
}

function changedTo(cells: ReadonlySet<number>, changed: readonly number[], isIn: boolean): ReadonlySet<number> {
  const next = new Set(cells);
  for (const cell of changed) {
    if (isIn) next.add(cell);
    else next.delete(cell);
  }
  return next;
}
