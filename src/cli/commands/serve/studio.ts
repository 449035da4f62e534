// `oppo studio`: a page on this machine that shows what runs do while they run, and why a model says what it says.

import type { Command } from "commander";
import { studioSettings } from "../../../serve/studio/settings.ts";
import { addHelp } from "../../base/command.ts";
import { printJsonLine } from "../../base/json.ts";
import { untilStopped } from "../../base/serving.ts";
import { withSettings } from "../../base/settings-command.ts";

const standardFolder = "runs";

const help = {
  notes: `Shows every run below the folders, live: curves, what was said and what it earned, which clause met which cue. The link carries
a token and works in a browser of this machine; nothing is sent anywhere and nothing in a run's folder is changed. Files of
samples and MEP sets are reviewed in the room Data: each decision about a cue becomes a line of CORPUS.annotations.jsonl. From another machine: ssh -L 8300:127.0.0.1:8300 HOST, then the same link. docs/studio.md describes the page and its JSON.`,
  examples: [
    "oppo studio",
    "oppo studio runs/demo",
    "oppo studio runs/mine runs/other --port 0",
    "oppo studio corpus/train.jsonl mep/mine",
  ],
};

export function configureStudio(command: Command): void {
  command.argument(
    "[runs...]",
    `folders of runs, or with runs below them; files of samples and MEP sets to review (${standardFolder} when left out)`,
  );
  addHelp(command, help);
  withSettings(command, { schema: studioSettings }, async (settings, { args, isJson }) => {
    const { serveStudio } = await import("../../../serve/studio/serve-studio.ts");
    const { newAccessToken } = await import("../../../serve/http/access-token.ts");
    const { annotations, control, host, media, port } = settings;
    const folders = args.length === 0 ? [standardFolder] : args;
    const server = await serveStudio({
      ...{ folders, host, port, annotations, media: media === null ? [] : [media] },
      token: newAccessToken(),
      command: control ? [process.execPath, process.argv[1]!] : null,
      log: (line) => void process.stderr.write(`${line}\n`),
    });
    const { address, link, numRuns } = server;
    if (isJson) printJsonLine("studio", { address, link, numRuns });
    else {
      const runs = numRuns === 1 ? "1 run" : `${numRuns} runs`;
      console.log(`studio    ${runs} below ${folders.join(", ")}\nopen      ${link}\nstop      Ctrl-C`);
    }
    await untilStopped(() => server.close());
  });
}
