// How a file of samples that is written anew leads to media that stay where they are.
import { lstatSync, mkdirSync, readlinkSync, symlinkSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { OppoError } from "../error.ts";

/** Media paths must stay below the file's folder: where the data are elsewhere, a link beside the file leads to them. */
export function wayToMedia(
  file: string,
  root: string,
  name: string,
): { readonly prefix: string; readonly link: string | null } {
  const folder = dirname(file);
  if (root === folder) return { prefix: "", link: null };
  if (root.startsWith(folder.endsWith(sep) ? folder : folder + sep)) {
    return { prefix: relative(folder, root).split(sep).join("/"), link: null };
  }
  const link = join(folder, `${name}-media`);
  const there = lstatSync(link, { throwIfNoEntry: false });
  if (there === undefined) {
    mkdirSync(folder, { recursive: true });
    symlinkSync(root, link, "dir");
  } else if (!there.isSymbolicLink() || resolve(folder, readlinkSync(link)) !== root) {
    throw new OppoError(
      "ERR_EXPORT_LINK",
      `${link}: expected nothing or a link to ${root}, got something else. Remove it, or write to another folder.`,
    );
  }
  return { prefix: basename(link), link };
}
