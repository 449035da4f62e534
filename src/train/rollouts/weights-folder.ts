// The policy's weights on the disk, a folder per version, where rollout servers read them: an adapter as PEFT writes it, or the
// whole model. Written beside and renamed, so that a server never sees a part.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { AdaptedModel, OmniModel } from "../../models/omni-model.ts";
import { diskFullError, isDiskFull } from "../../run/disk.ts";
import { temporaryBeside } from "../../temporary-files.ts";

/** What vLLM reads, beside our own form. */
const wholeForm = "whole";
const folderForm = /^policy-v(\d+)$/;

export function isAdapted(model: OmniModel): model is AdaptedModel {
  return "adapter" in model;
}

export const versionName = (version: number): string => `policy-v${version}`;
export const testName = "policy-test";

export class WeightsFolder {
  readonly #folder: string;

  /** @param folder that servers see under the same path */
  constructor(folder: string) {
    this.#folder = resolve(folder);
  }

  /** @param isOurs the form that our own server reads, or vLLM's */
  path(name: string, isOurs: boolean): string {
    const folder = join(this.#folder, name);
    return isOurs || !existsSync(join(folder, wholeForm)) ? folder : join(folder, wholeForm);
  }

  has(version: number): boolean {
    return existsSync(join(this.#folder, versionName(version)));
  }

  /** @throws OppoError ERR_DISK_FULL */
  save(name: string, policy: OmniModel): void {
    const folder = join(this.#folder, name);
    mkdirSync(this.#folder, { recursive: true });
    const partial = temporaryBeside(folder);
    try {
      rmSync(partial, { recursive: true, force: true });
      mkdirSync(partial);
      policy.save(partial);
      if (isAdapted(policy)) policy.adapter.save(join(partial, wholeForm), { whole: true });
      rmSync(folder, { recursive: true, force: true });
      renameSync(partial, folder);
    } catch (error) {
      rmSync(partial, { recursive: true, force: true });
      throw isDiskFull(error) ? diskFullError(folder, "the weights for the rollout servers", error) : error;
    }
  }

  remove(name: string): void {
    rmSync(join(this.#folder, name), { recursive: true, force: true });
  }

  /** Lets go of older versions. */
  forgetBefore(version: number): void {
    if (!existsSync(this.#folder)) return;
    for (const name of readdirSync(this.#folder)) {
      const found = folderForm.exec(name);
      if (found !== null && Number(found[1]) < version) this.remove(name);
    }
  }
}
