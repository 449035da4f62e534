// Which numbers a run is shown by, in which order, and in whose words.

export interface Panel {
  readonly metric: string;
  readonly title: string;
}

const titles: readonly (readonly [pattern: RegExp, title: string])[] = [
  [/^reward$/, "reward"],
  [/^loss$/, "loss"],
  [/^rewards\/(.+)\/mean$/, "reward: $1"],
  [/^eval\/reward$/, "evaluation: reward"],
  [/^eval\/(recall|emotionF1|hallucinatedVideo|hallucinatedAudio|loss)$/, "evaluation: $1"],
  [/^kl$/, "KL to the reference (nats)"],
  [/^entropy$/, "entropy (nats)"],
  [/^omni\/kl_video$/, "KL when the video is masked"],
  [/^omni\/kl_audio$/, "KL when the sound is masked"],
  [/^completions\/mean_length$/, "completion length (tokens)"],
  [/^frac_reward_zero_std$/, "groups without a difference"],
  [/^grad_norm$/, "gradient norm"],
  [/^learning_rate$/, "learning rate"],
  [/^step_time$/, "step time (s)"],
  [/^tokens_per_second$/, "tokens per second"],
  [/memory/, "$&"],
];

/** Made of others: see `derived`. */
export const tokensPerSecond = "tokens_per_second";

/** The panels that are always shown, of those numbers that the runs have. */
export function headlinePanels(metrics: readonly string[]): Panel[] {
  return titles.flatMap(([pattern, title]) =>
    metrics
      .filter((metric) => pattern.test(metric))
      .map((metric) => ({ metric, title: metric.replace(pattern, title) })),
  );
}

/** Numbers whose name has the words of a search. */
export function foundPanels(metrics: readonly string[], search: string): Panel[] {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  return metrics
    .filter((metric) => words.every((word) => metric.toLowerCase().includes(word)))
    .map((metric) => ({ metric, title: metric }));
}
