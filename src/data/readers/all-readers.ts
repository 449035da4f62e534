// Every data set that can be read, in alphabetical order: a new one is a file with a reader, and its line here.
export { chSims } from "./ch-sims.ts";
export { chSimsV2 } from "./ch-sims-v2.ts";
export { cmuMosei } from "./cmu-mosei.ts";
export { cmuMosi } from "./cmu-mosi.ts";
export { dfew } from "./dfew.ts";
export { emer } from "./emer.ts";
export { humanOv } from "./human-ov.ts";
export { iemocapFour } from "./iemocap-four.ts";
export { mafw } from "./mafw.ts";
export { meld } from "./meld.ts";
export { merCaptionPlus } from "./mer-caption-plus.ts";
export { mer2023 } from "./mer2023.ts";
export { mer2024 } from "./mer2024.ts";
export { mer2025Ov } from "./mer2025-ov.ts";
export { ovMerd } from "./ov-merd.ts";
export { ovMerdPlus } from "./ov-merd-plus.ts";
export { ravdess } from "./ravdess.ts";
