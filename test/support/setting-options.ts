// What a test leaves to a corpus when it opens a setting: its own emotion score, and no imported lexicon.
export const emotionDefaults = { accuracy: "auto", emotionGroups: null, home: "no-home-here" } as const;
