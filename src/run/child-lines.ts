// The lines that a child process prints, passed on as they come, and the last few, for whoever has to say why it ended.
import type { ChildProcess } from "node:child_process";

export type ChildStream = "out" | "error";

export interface FollowOptions {
  readonly tailLines: number;
  /** Told of every line that is not empty. */
  readonly onLine: (line: string, stream: ChildStream) => void;
  /** Whether a line may be one of the last; left out: all may. */
  readonly isTelling?: (line: string) => boolean;
}

/** @returns the last lines, which change as it goes on */
export function followLines(child: ChildProcess, options: FollowOptions): readonly string[] {
  const { tailLines, onLine, isTelling = () => true } = options;
  const tail: string[] = [];
  const streams = [
    ["out", child.stdout],
    ["error", child.stderr],
  ] as const;
  for (const [name, stream] of streams) {
    let rest = "";
    const take = (line: string): void => {
      if (line.trim() === "") return;
      onLine(line, name);
      if (!isTelling(line)) return;
      tail.push(line.trim());
      if (tail.length > tailLines) tail.shift();
    };
    stream?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) take(line);
    });
    stream?.on("end", () => take(rest));
  }
  return tail;
}
