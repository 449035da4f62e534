// Cold starts by name: what a model has been told of a picture or a sound that was not there.
import { type ColdStart, coldStarts } from "../../data/theatre/world.ts";

export type StartKind = ColdStart;

export const startNames = Object.keys(coldStarts) as [StartKind, ...StartKind[]];
