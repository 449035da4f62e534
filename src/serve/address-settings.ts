// What every server can be told: where it listens, whom it lets in, how much a request may hold.
import { z } from "zod";
import { count, optionalText, wholeNumber } from "../corpus/settings.ts";

const group = "The address:";

export const addressSettings = (port: number, maxBodyMb: number) => ({
  host: z.string().min(1).default("127.0.0.1").meta({
    description: "where to listen; others than 127.0.0.1 are reached from outside",
    value: "address",
    group,
  }),
  port: wholeNumber.max(65535).default(port).meta({ description: "0: any free one", value: "number", group }),
  tokenEnv: optionalText("ask for the bearer token that this environment variable holds", undefined, "variable").meta({
    group,
  }),
  maxBodyMb: count.default(maxBodyMb).meta({ description: "largest request, in MB", group }),
});
