// Settings that each make sense and together do not: refused with the reason before anything is loaded.

import type { DeepReadonly } from "../../run/config.ts";
import { ConfigError } from "../../run/config.ts";
import type { TrainConfig } from "../config.ts";

type Settings = DeepReadonly<TrainConfig>;

/** @throws ConfigError that names the setting, the reason and the remedy */
export function requireCompatible(config: Settings): void {
  for (const check of [updates, referenceSync, referenceReading, spans, degradedTerms, probes, rollouts]) {
    const conflict = check(config);
    if (conflict !== null) throw new ConfigError(conflict.path, `${conflict.path}: ${conflict.message}`);
  }
}

interface Conflict {
  readonly path: string;
  readonly message: string;
}

function updates({ updatesPerRollout, miniBatches, promptsPerStep, oldLogprobs }: Settings): Conflict | null {
  if (updatesPerRollout > 1 && oldLogprobs === "current") {
    return {
      path: "updatesPerRollout",
      message: `expected oldLogprobs sampler or start for ${updatesPerRollout} updates on the same completions, got current, with which every ratio is 1 and nothing holds later updates to the policy that was sampled. Set oldLogprobs.`,
    };
  }
  if (miniBatches > promptsPerStep) {
    return {
      path: "miniBatches",
      message: `expected at most the ${promptsPerStep} prompts of a step, got ${miniBatches}. Lower it, or raise promptsPerStep.`,
    };
  }
  if (updatesPerRollout % miniBatches === 0) return null;
  return {
    path: "updatesPerRollout",
    message: `expected a multiple of the ${miniBatches} mini-batches, so that every completion is learnt from as often, got ${updatesPerRollout}. Change miniBatches or updatesPerRollout.`,
  };
}

function referenceSync({ referenceSyncEvery, trainable, parts }: Settings): Conflict | null {
  if (referenceSyncEvery === null || trainable === "decoder") return null;
  const path = "referenceSyncEvery";
  if (trainable === "lora") {
    return {
      path,
      message:
        "expected trainable decoder, got lora, whose reference is the policy's own base: there is no second copy to move. Leave it out, or train the decoder.",
    };
  }
  if (parts.every((part) => part === "decoder")) return null;
  return {
    path,
    message: `expected parts decoder, got ${parts.join(", ")}: what the reference sees of a clip is encoded once, so its towers have to stay. Leave it out, or train the decoder.`,
  };
}

function referenceReading({ referenceSyncEvery, perception }: Settings): Conflict | null {
  if (referenceSyncEvery === null || perception.support !== "reference") return null;
  return {
    path: "perception.support",
    message:
      "expected a reference that stays for support reference, got referenceSyncEvery, which moves it: what can be read of a clip must not depend on how far a run has come. Leave referenceSyncEvery out, or choose observer or mask.",
  };
}

function degradedTerms({ reward, perception }: Settings): Conflict | null {
  const isPaid = reward.terms.some(({ name, weight }) => name === "support" && weight !== 0);
  if (!isPaid || perception.rolloutShare > 0) return null;
  return {
    path: "reward.terms",
    message:
      "expected perception.rolloutShare above 0 for the term support, got 0: it is about degraded clips, and no prompt shows one. Set rolloutShare, or use precision.",
  };
}

function probes({ probeShare, perception, reward }: Settings): Conflict | null {
  const isPaid = reward.terms.some(({ name, weight }) => name === "verdict" && weight !== 0);
  if (isPaid !== probeShare > 0) {
    return isPaid
      ? {
          path: "reward.terms",
          message:
            "expected probeShare above 0 for the term verdict, got 0: it is about probes, and no prompt is one. Set probeShare, or leave the term out.",
        }
      : {
          path: "probeShare",
          message:
            "expected the term verdict in reward.terms for probes, got none: nothing would pay for a right answer. Add { name: verdict, weight: 1 }, or set probeShare to 0.",
        };
  }
  if (probeShare > 0 && reward.judged.length > 0) {
    return {
      path: "probeShare",
      message: `expected 0 beside judged rewards (${reward.judged.map(({ name }) => name).join(", ")}), got ${probeShare}: a judge reads accounts, and an answer to a probe is none. Set it to 0, or reward.judged to [].`,
    };
  }
  if (probeShare + perception.rolloutShare <= 1) return null;
  return {
    path: "probeShare",
    message: `expected at most ${1 - perception.rolloutShare} beside perception.rolloutShare ${perception.rolloutShare}, got ${probeShare}: a prompt is one or the other. Lower one of them.`,
  };
}

function rollouts({ rollouts: servers, perception, probeShare }: Settings): Conflict | null {
  if (servers === null) return null;
  if (probeShare > 0) {
    return {
      path: "probeShare",
      message: `expected 0 where servers sample (rollouts), got ${probeShare}: they are asked the task's question ahead of the step that draws its probes. Set it to 0, or let this process sample.`,
    };
  }
  if (perception.rolloutShare === 0) return null;
  return {
    path: "perception.rolloutShare",
    message: `expected 0 where servers sample (rollouts), got ${perception.rolloutShare}: degraded clips are made of what the towers see here, and servers are sent clips as they are. Set it to 0, or let this process sample.`,
  };
}

function spans({ advantageSpans, reward }: Settings): Conflict | null {
  const path = "advantageSpans";
  const terms = [...reward.terms, ...reward.judged];
  const names = advantageSpans.map(({ term }) => term);
  const doubled = names.find((name, i) => names.indexOf(name) !== i);
  if (doubled !== undefined) return { path, message: `expected every term once, got "${doubled}" twice.` };
  const paid = terms.filter(({ weight }) => weight !== 0).map(({ name }) => name);
  const unknown = names.find((name) => !paid.includes(name as never));
  if (unknown === undefined) return null;
  return {
    path,
    message: `expected a term of reward.terms or reward.judged that has a weight (${paid.join(", ")}), got "${unknown}". Name one of them, or give it a weight.`,
  };
}
