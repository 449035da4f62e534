// Progress for people: on a terminal one line that is redrawn (bar, counts, time left, a few numbers), elsewhere a plain
// line every ten seconds. Log lines go through the same object, so the two never mix. Several stages may be open at once
// (arms that train in parallel); they share the line.

/** What a progress line is drawn on: `process.stderr`, or a fake in tests. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface Stage {
  /** Sets how much is done and, if given, the numbers shown beside it ("reward 2.31  recall 0.85"). */
  update(done: number, detail?: string): void;
  /** One more is done. */
  advance(detail?: string): void;
  /** Closes the stage and leaves one line with its time; `summary` takes the place of the last detail. */
  finish(summary?: string): void;
}

export interface Progress extends Disposable {
  stage(name: string, total: number): Stage;
  /** Prints a whole line above the progress line. */
  log(line: string): void;
}

interface OpenStage {
  readonly name: string;
  readonly total: number;
  readonly startedAt: number;
  done: number;
  detail: string;
  /** When a plain line was last printed for it. */
  printedAt: number;
}

const REDRAW_MILLISECONDS = 100;
const PLAIN_MILLISECONDS = 10_000;
const BAR_WIDTH = 20;

/** `now` in milliseconds; a fake in tests. */
export function createProgress(
  stream: ProgressStream = process.stderr,
  now: () => number = () => performance.now(),
): Progress {
  const open = new Set<OpenStage>();
  let isDrawn = false;
  let drawnAt = Number.NEGATIVE_INFINITY;

  const erase = (): void => {
    if (isDrawn) stream.write("\r\x1b[2K");
    isDrawn = false;
  };
  const draw = (): void => {
    if (!stream.isTTY || open.size === 0) return;
    const text = lineFor([...open], now()).slice(0, Math.max(20, (stream.columns ?? 80) - 1));
    stream.write(`\r\x1b[2K${text}`);
    isDrawn = true;
    drawnAt = now();
  };
  const log = (line: string): void => {
    erase();
    stream.write(`${line}\n`);
    draw();
  };
  const changed = (stage: OpenStage): void => {
    if (stream.isTTY) {
      if (now() - drawnAt >= REDRAW_MILLISECONDS) draw();
    } else if (now() - stage.printedAt >= PLAIN_MILLISECONDS) {
      stage.printedAt = now();
      log(lineFor([stage], now()));
    }
  };

  return {
    log,
    stage(name, total) {
      const stage: OpenStage = { name, total, startedAt: now(), done: 0, detail: "", printedAt: now() };
      open.add(stage);
      draw();
      const update = (done: number, detail?: string): void => {
        stage.done = done;
        stage.detail = detail ?? stage.detail;
        changed(stage);
      };
      return {
        update,
        advance: (detail) => update(stage.done + 1, detail),
        finish(summary) {
          if (!open.delete(stage)) return;
          const rest = summary ?? stage.detail;
          const line = `${name}  ${stage.done}/${total}  ${formatDuration(now() - stage.startedAt)}`;
          log(rest === "" ? line : `${line}  ${rest}`);
        },
      };
    },
    [Symbol.dispose]: erase,
  };
}

function lineFor(stages: readonly OpenStage[], time: number): string {
  if (stages.length === 1) {
    const stage = stages[0] as OpenStage;
    return [stage.name, bar(share(stage)), counts(stage), timeLeft(stage, time), stage.detail]
      .filter((part) => part !== "")
      .join("  ");
  }
  const slowest = stages.reduce((left, right) => (remaining(left, time) >= remaining(right, time) ? left : right));
  const parts = stages.map((stage) => `${stage.name} ${counts(stage)}${stage.detail === "" ? "" : ` ${stage.detail}`}`);
  return [timeLeft(slowest, time), parts.join(" | ")].filter((part) => part !== "").join("  ");
}

function share(stage: OpenStage): number {
  return stage.total > 0 ? Math.min(1, stage.done / stage.total) : 0;
}

function bar(filled: number): string {
  const width = Math.round(filled * BAR_WIDTH);
  return `[${"#".repeat(width)}${"-".repeat(BAR_WIDTH - width)}]`;
}

function counts(stage: OpenStage): string {
  return `${stage.done}/${stage.total}`;
}

/** Milliseconds left at the average pace so far; infinite before the first is done. */
function remaining(stage: OpenStage, time: number): number {
  return ((time - stage.startedAt) / stage.done) * (stage.total - stage.done);
}

function timeLeft(stage: OpenStage, time: number): string {
  return stage.done === 0 ? "" : `${formatDuration(Math.max(0, remaining(stage, time)))} left`;
}

/** Example: 4200 -> "4.2 s", 83_000 -> "1:23", 3_723_000 -> "1:02:03". */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  const pad = (value: number): string => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}
