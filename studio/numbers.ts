// Numbers and times as people read them.

/** Example: 0.00012 -> "1.20e-4", 2.3456 -> "2.346", 12345.6 -> "12,346" */
export function shown(value: number | null | undefined): string {
  if (value === null || value === undefined) return "-";
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-3) return value.toExponential(2);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(4).replace(/\.?0+$/, "");
}

/** Example: 75_000 milliseconds -> "1 min ago" */
export function ago(milliseconds: number): string {
  const seconds = Math.max(0, (Date.now() - milliseconds) / 1000);
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}
