// The routes of `oppo serve reward`: one per trainer, each with the answer that it reads, and our own with all parts.
import type { Context } from "hono";
import { RewardWatch } from "../../rl/reward-watch.ts";
import { readingModes } from "../../text/answer.ts";
import { createApp, type ServerContext } from "../http/app.ts";
import type { Counters } from "../http/counters.ts";
import { BodyReader } from "../http/read-json.ts";
import type { Corpus } from "./reference.ts";
import { type RewardRequest, readColumns, readNative, readOpenRlhf, readVerl } from "./request-shapes.ts";
import type { ItemReward, RewardScorer } from "./reward-scorer.ts";

export interface RewardAppOptions {
  readonly scorer: RewardScorer;
  readonly corpus: Corpus | null;
  readonly embedderName: string;
  readonly accuracyName: string;
  readonly maxBodyBytes: number;
  readonly token: string | null;
  readonly host: string;
  readonly counters: Counters;
  readonly onFault: (error: unknown) => void;
  /** Told once, each: a reward that has not moved for some hundred completions. */
  readonly onNotice: (line: string) => void;
}

const routes = ["/v1/rewards", "/trl", "/ms-swift", "/verl", "/openrlhf", "/health", "/metrics"];
const warningHeader = "x-oppo-warning";

export function rewardApp(options: RewardAppOptions) {
  const { scorer, corpus, counters } = options;
  const bodies = new BodyReader(options.maxBodyBytes);
  const names = scorer.rules.terms.map(({ name }) => name);
  const facts = factsOf(options);
  const watch = new RewardWatch();
  const app = createApp({
    token: options.token,
    host: options.host,
    counters,
    onFault: options.onFault,
    health: () => ({ isHealthy: true, ...facts, warnings: watch.standing() }),
  });

  async function rewardsOf(c: Context<ServerContext>, { items, hasDetails }: RewardRequest): Promise<ItemReward[]> {
    const rewards = await scorer.score(items, hasDetails);
    counters.add("completions_total", rewards.length);
    counters.add("malformed_total", rewards.filter(({ problem }) => problem !== null).length);
    for (const reward of rewards) for (const { line } of watch.add(reward, reward.problem)) options.onNotice(line);
    const standing = watch.standing();
    if (standing.length > 0) c.header(warningHeader, standing.join(" | "));
    return rewards;
  }

  app.get("/", (c) => c.json({ server: "oppo serve reward", routes, ...facts, warnings: watch.standing() }));
  app.post("/v1/rewards", async (c) => {
    const rewards = await rewardsOf(c, readNative(await bodies.json(c.env.incoming), corpus));
    return c.json({ rewards: rewards.map(({ total }) => total), items: rewards.map(whole), ...facts });
  });
  for (const path of ["/trl", "/ms-swift"]) {
    app.post(path, async (c) => {
      const request = readColumns(await bodies.json(c.env.incoming), corpus);
      const rewards = await rewardsOf(c, request);
      return c.json({
        ...columns(rewards, names),
        ...(request.hasDetails ? { items: rewards.map(whole) } : {}),
      });
    });
  }
  app.post("/verl", async (c) => {
    const request = readVerl(await bodies.json(c.env.incoming), corpus);
    const rows = (await rewardsOf(c, request)).map(({ total, parts }) => ({ score: total, ...parts }));
    return c.json(request.isSingle ? rows[0]! : rows);
  });
  app.post("/openrlhf", async (c) => {
    const rewards = await rewardsOf(c, readOpenRlhf(await bodies.json(c.env.incoming), corpus));
    const { rewards: totals, parts } = columns(rewards, names);
    return c.json({ rewards: totals, scores: parts.accuracy ?? totals, extra_logs: parts });
  });
  return app;
}

/** What decides the rewards: said with every answer of our own shape. */
function factsOf({ scorer, corpus, embedderName, accuracyName }: RewardAppOptions) {
  const { terms, threshold, empty } = scorer.rules;
  return {
    weights: Object.fromEntries(terms.map(({ name, weight }) => [name, weight])),
    threshold,
    empty,
    embedder: embedderName,
    accuracy: accuracyName,
    samples: corpus?.size ?? 0,
    reading: readingModes.strict,
  };
}

function columns(rewards: readonly ItemReward[], names: readonly string[]) {
  const parts: Record<string, number[]> = {};
  for (const name of names) parts[name] = rewards.map((reward) => reward.parts[name]!);
  return { rewards: rewards.map(({ total }) => total), parts };
}

function whole({ total, parts, problem, labels, numClauses, kinds, cues }: ItemReward) {
  return {
    reward: total,
    parts,
    problem,
    labels,
    clauses: numClauses,
    omni: kinds,
    ...(cues === null ? {} : { cues }),
  };
}
