// `oppo serve reward`: the Omni-Perception Reward for other trainers.

import type { Command } from "commander";
import type { SettingsOf } from "../../../run/config.ts";
import type { RewardRules } from "../../../serve/reward/reward-scorer.ts";
import type { RewardServer } from "../../../serve/reward/serve-reward.ts";
import { serveRewardIdle, serveRewardSettings } from "../../../serve/reward/settings.ts";
import { addHelp } from "../../base/command.ts";
import { embedderAccess } from "../../base/embedder-access.ts";
import { printJsonLine } from "../../base/json.ts";
import { bytesPerMb, tokenOf, untilStopped } from "../../base/serving.ts";
import { withSettings } from "../../base/settings-command.ts";

type RewardSettings = SettingsOf<typeof serveRewardSettings>;

const help = {
  notes: `R = accuracy + format + alpha R_omni, with all parts, for GRPO in any trainer: /v1/rewards is our own shape, /trl, /ms-swift,
/verl and /openrlhf take what those frameworks have at hand. docs/reward-server.md has a snippet to paste for each.

  curl http://127.0.0.1:8200/v1/rewards -H 'content-type: application/json' -d '{"items": [{"sample": "rl-00000",
    "completion": "<think>the video shows a furrowed brow.</think><answer>angry</answer>"}], "details": true}'`,
  examples: ["oppo serve reward --data runs/demo/corpus/rl/rl.jsonl"],
};

export function configureReward(command: Command): void {
  command.description(
    "Scores completions with the Omni-Perception Reward, for TRL, verl, ms-swift, OpenRLHF and others.",
  );
  addHelp(command, help);
  withSettings(command, { schema: serveRewardSettings, idle: serveRewardIdle }, (settings, { isJson }) =>
    serve(settings, isJson),
  );
}

async function serve(settings: RewardSettings, isJson: boolean): Promise<void> {
  const { serveReward } = await import("../../../serve/reward/serve-reward.ts");
  const { fieldMapOf } = await import("../../../corpus/settings.ts");
  const { oppoHome } = await import("../../../run/lexicon-store.ts");
  const { weightedTerms } = await import("../../../serve/reward/weighted-terms.ts");
  const { data, embedder, accuracy, threshold, empty, host, port, maxSkippedRows } = settings;
  const token = tokenOf(settings);
  const terms = weightedTerms(settings.weight);
  const stop = new AbortController();
  const server = await serveReward({
    access: await embedderAccess(settings.client, settings.clauseInstruction, stop.signal),
    data,
    embedder,
    accuracy,
    home: oppoHome(process.env),
    rules: { terms, threshold, empty, requireWellFormed: !settings.anyFormat },
    host,
    port,
    token,
    maxBodyBytes: settings.maxBodyMb * bytesPerMb,
    maxSkippedRows,
    fields: fieldMapOf(settings.fields),
    log: (line) => void process.stderr.write(`${line}\n`),
  });
  if (isJson) {
    const { address, numSamples, notes } = server;
    const chosen = { embedder: server.embedder, accuracy: server.accuracy };
    printJsonLine("serve-reward", { address, ...chosen, numSamples, terms, notes });
  } else console.log(screenOf(server, settings, terms, token !== null));
  await untilStopped(() => server.close().finally(() => stop.abort()));
}

function screenOf(
  { address, numSamples, notes }: RewardServer,
  settings: RewardSettings,
  terms: RewardRules["terms"],
  hasToken: boolean,
): string {
  const shapes = ["/v1/rewards", "/trl", "/ms-swift", "/verl", "/openrlhf"];
  const auth = hasToken ? ` -H "authorization: Bearer $${settings.tokenEnv}"` : "";
  return [
    `serving   R = ${terms.map(({ name, weight }) => `${weight} ${name}`).join(" + ")}, delta ${settings.threshold}`,
    `address   ${address}${hasToken ? " (with a bearer token)" : ""}: ${shapes.join(", ")}`,
    `cues      ${numSamples === 0 ? "with every request" : `of ${numSamples.toLocaleString("en-US")} samples by id, or with the request`}`,
    ...notes,
    `limits    bodies of ${settings.maxBodyMb} MB, 4096 completions a request`,
    `try       curl ${address}/v1/rewards -H 'content-type: application/json'${auth} \\`,
    `            -d '{"items": [{"completion": "<think>a wide smile.</think><answer>happy</answer>", "labels": ["happy"], "cues": {"video": ["a smile"]}}], "details": true}'`,
    "stop      Ctrl-C",
  ].join("\n");
}
