// One number over the steps, a line per run. A smoothed line stands over its faint raw one; the values under the pointer stand above the
// chart, in words, where a screen reader finds the last ones too.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { shown } from "../numbers.ts";
import { inTurn } from "./in-turn.ts";

export interface ChartLine {
  readonly name: string;
  readonly color: string;
  readonly dash: readonly number[];
  readonly steps: readonly number[];
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  /** 0: as it is; towards 1: an ever longer memory. */
  readonly smoothing: number;
  readonly isLog: boolean;
}

const height = 190;
const faint = "55";

export function Chart({ title, lines, smoothing, isLog }: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const shape = JSON.stringify([lines.map(({ name, color, dash }) => [name, color, dash]), smoothing > 0, isLog]);
  // What a pointer passes over renders anew, and draws nothing anew.
  const table = useMemo(
    () => tableOf(lines, smoothing),
    [smoothing, ...lines.flatMap(({ steps, values }) => [steps, values])],
  );
  const latest = useRef(table);
  latest.current = table;
  const drawn = useRef<uPlot.AlignedData | null>(null);
  useEffect(() => {
    const place = host.current!;
    const make = () => {
      plot.current?.destroy();
      drawn.current = latest.current;
      plot.current = new uPlot(
        optionsOf(place, lines, { isSmooth: smoothing > 0, isLog, setAt }),
        drawn.current,
        place,
      );
    };
    const leave = inTurn(place, make);
    const sized = new ResizeObserver(() => {
      const width = place.clientWidth;
      if (plot.current !== null && plot.current.width !== width) plot.current.setSize({ width, height });
    });
    sized.observe(place);
    const recolor = () => plot.current !== null && make();
    addEventListener("themechange", recolor);
    return () => {
      leave();
      sized.disconnect();
      removeEventListener("themechange", recolor);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => {
    if (plot.current === null || drawn.current === table) return;
    drawn.current = table;
    plot.current.setData(table, true);
  }, [table]);
  const readings = lines.map((line) => ({ ...line, ...reading(line, at) }));
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        <span class="readings">
          {readings.map(({ name, color, value, step }) => (
            <span key={name} title={`${name}, step ${step ?? "-"}`}>
              <i class="dot" style={{ background: color }} />
              {shown(value)}
            </span>
          ))}
          {at !== null && <span class="soft">step {at}</span>}
        </span>
      </figcaption>
      <div
        ref={host}
        class="plot"
        role="img"
        aria-label={`${title}: ${readings.map(({ name, value, step }) => `${name} ${shown(value)} at step ${step ?? "-"}`).join("; ")}`}
      />
    </figure>
  );
}

/** The value at a step, or the last one. */
function reading({ steps, values }: ChartLine, at: number | null): { value: number | null; step: number | null } {
  for (let i = steps.length - 1; i >= 0; i--) {
    if (at !== null && steps[i]! > at) continue;
    if (values[i] !== null && values[i] !== undefined) return { value: values[i]!, step: steps[i]! };
  }
  return { value: null, step: null };
}

/** Columns on the steps of all lines: every line, then, where they are smoothed, every raw one. */
function tableOf(lines: readonly ChartLine[], smoothing: number): uPlot.AlignedData {
  const steps = [...new Set(lines.flatMap((line) => line.steps))].sort((a, b) => a - b);
  const indexOf = new Map(steps.map((step, i) => [step, i]));
  const spread = ({ steps: own, values }: ChartLine) => {
    const column = new Array<number | null>(steps.length).fill(null);
    own.forEach((step, i) => {
      column[indexOf.get(step)!] = values[i] ?? null;
    });
    return column;
  };
  const raw = lines.map(spread);
  return (
    smoothing > 0 ? [steps, ...raw.map((column) => smooth(column, smoothing)), ...raw] : [steps, ...raw]
  ) as uPlot.AlignedData;
}

/** An exponential mean whose beginning leans on nothing: weights are those of the values so far. */
function smooth(values: readonly (number | null)[], memory: number): (number | null)[] {
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = memory * sum + value;
    weight = memory * weight + 1;
    return sum / weight;
  });
}

interface Drawing {
  readonly isSmooth: boolean;
  readonly isLog: boolean;
  readonly setAt: (step: number | null) => void;
}

function optionsOf(host: HTMLElement, lines: readonly ChartLine[], { isSmooth, isLog, setAt }: Drawing): uPlot.Options {
  const style = getComputedStyle(host);
  const [ink, rule] = [style.getPropertyValue("--soft"), style.getPropertyValue("--line")];
  const axis = {
    stroke: ink,
    grid: { stroke: rule, width: 1 },
    ticks: { stroke: rule, width: 1 },
    font: "11px system-ui",
  };
  const line = ({ color, dash }: ChartLine, isRaw: boolean): uPlot.Series => ({
    stroke: isRaw ? color + faint : color,
    width: isRaw ? 1 : 1.75,
    dash: isRaw ? [] : [...dash],
    spanGaps: true,
    points: { show: false },
  });
  return {
    ...{ width: host.clientWidth, height, legend: { show: false } },
    cursor: { y: false, points: { size: 6 }, drag: { x: true, y: false } },
    scales: { x: { time: false }, y: isLog ? { distr: 3 } : { range: rangeOf } },
    axes: [
      { ...axis, size: 28 },
      { ...axis, size: 52, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : shown(tick))) },
    ],
    series: [{}, ...lines.map((one) => line(one, false)), ...(isSmooth ? lines.map((one) => line(one, true)) : [])],
    hooks: {
      setCursor: [
        ({ cursor, data }: uPlot) =>
          setAt(cursor.idx === null || cursor.idx === undefined ? null : (data[0][cursor.idx] ?? null)),
      ],
    },
  };
}

/** uPlot's own, but for zeros alone, of which it would draw an axis to 100. */
function rangeOf(_: uPlot, low: number | null, high: number | null): uPlot.Range.MinMax {
  if (low === null || high === null) return [null, null];
  return low === 0 && high === 0 ? [0, 1] : uPlot.rangeNum(low, high, 0.1, true);
}
