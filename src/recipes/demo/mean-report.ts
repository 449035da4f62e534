// The mean of several seeds of one arm, metric by metric.
import type { Metric, Report } from "../../bench/report.ts";

/**
 * Mean over seeds. The interval is the mean of the seeds' bootstrap intervals (which clips were drawn), widened where
 * the seeds differ more than that: it always covers every seed's value.
 */
export function meanReport(reports: readonly Report[]): Report {
  const names = new Set(reports.flatMap((report) => Object.keys(report)));
  return Object.fromEntries([...names].map((name) => [name, meanMetric(reports.map((report) => report[name]))]));
}

function meanMetric(metrics: readonly (Metric | undefined)[]): Metric {
  const scored = metrics.filter((metric) => metric !== undefined && metric.value !== null) as {
    value: number;
    low: number;
    high: number;
    count: number;
  }[];
  if (scored.length === 0) return { value: null, low: null, high: null, count: 0 };
  const mean = (pick: (metric: (typeof scored)[number]) => number) =>
    scored.reduce((sum, metric) => sum + pick(metric), 0) / scored.length;
  const values = scored.map((metric) => metric.value);
  return {
    value: mean((metric) => metric.value),
    low: Math.min(
      mean((metric) => metric.low),
      ...values,
    ),
    high: Math.max(
      mean((metric) => metric.high),
      ...values,
    ),
    count: Math.round(mean((metric) => metric.count)),
  };
}
