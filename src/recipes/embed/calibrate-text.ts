// A calibration for a terminal: a histogram on its side, the delta and what it costs.
import type { CosineSpread, MeasuredPair } from "../../evidence/calibrate.ts";
import type { CalibrationRecord } from "./calibrate-embedder.ts";
import { plainText, two } from "./embed-text.ts";

const barWidth = 30;
const percent = 100;

export function calibrationText(record: CalibrationRecord): string {
  const { embedder, source, same, different, delta, interval, range, equalError, atPaper } = record;
  const lines = [
    embedder,
    `${record.numTexts} texts: ${source}`,
    "",
    ...histogramLines(record),
    "",
    `same cue        ${spread(same)}`,
    `different cues  ${spread(different)}`,
    "",
    `delta           ${two(delta)}, 95 % interval ${two(interval[0])} to ${two(interval[1])}; as good from ${two(range[0])} to ${two(range[1])}`,
    `at delta        ${share(record.missed)} of the same cues missed, ${share(record.leaked)} of the different ones above (F1 ${record.f1.toFixed(3)})`,
    `at ${two(atPaper.delta)} (paper) ${share(atPaper.missed)} missed, ${share(atPaper.leaked)} above`,
    `equal error     ${share(equalError.rate)} of either, at ${two(equalError.threshold)}`,
    ...record.cautions.map((caution) => `caution         ${caution}`),
    "",
    "same cue, least alike:",
    ...record.worstSame.map(pairLine),
    "different cues, most alike:",
    ...record.worstDifferent.map(pairLine),
  ];
  return lines.join("\n");
}

function histogramLines({ histogram, delta }: CalibrationRecord): string[] {
  const { start, binWidth, same, different } = histogram;
  const most = Math.max(...same, ...different);
  const deltaBin = Math.min(same.length - 1, Math.floor((delta - start) / binWidth + 1e-9));
  const rows = same.map((of, bin) => {
    const left = bar(of / most).padStart(barWidth);
    const right = bar(different[bin]! / most).padEnd(barWidth);
    const mark = bin === deltaBin ? `  <- delta ${two(delta)}` : "";
    return `${left} ${two(start + bin * binWidth).padStart(5)} ${right}${mark}`.trimEnd();
  });
  return [`${"same cue".padStart(barWidth)} cosine different cues`, ...rows.reverse()];
}

/** At least a dot for what is not nothing. */
function bar(filled: number): string {
  const width = Math.round(filled * barWidth);
  return width === 0 && filled > 0 ? "." : "#".repeat(width);
}

function spread({ count, mean, quantiles }: CosineSpread): string {
  const [low, , , median, , , high] = quantiles as number[];
  return `${count} pairs, ${two(low!)} to ${two(high!)}, median ${two(median!)}, mean ${two(mean)}`;
}

function pairLine({ left, right, cosine }: MeasuredPair): string {
  return `  ${two(cosine).padStart(5)}  ${plainText(left)} | ${plainText(right)}`;
}

function share(value: number): string {
  return `${(value * percent).toFixed(1)} %`;
}
