// The community's lexicon files, in the layout of its repositories: made here from the published tables, read back, and
// compared with the tables form by form.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { readLexiconCheckout } from "../../../src/data/lexicon/checkout.ts";
import { lexiconText, readLexiconFile } from "../../../src/data/lexicon/lexicon-file.ts";
import { explainLabel } from "../../../src/emotion/explain.ts";
import { labelResolver } from "../../../src/emotion/resolver.ts";
import { lexiconFromTables, lexiconHash } from "../../../src/emotion/wheel.ts";
import { publishedLexicon } from "../../support/lexicon.ts";
import { npzFixtures } from "../../support/npz-fixtures.ts";
import { sharedPath } from "../../support/shared.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { spreadsheetOf, zipOf } from "../../support/zip.ts";

type Tree = Record<string, Record<string, Record<string, string[]>>>;

/** Merged cells: the upper rings' words stand in the first row only. Case and outer space are lost on reading. */
function wheelSheet(inner: Tree[string]): Buffer {
  const rows = Object.entries(inner).flatMap(([word, middles]) =>
    Object.entries(middles).flatMap(([middle, outers], m) =>
      outers.map((outer, o) => [
        m + o === 0 ? word.toUpperCase() : "",
        o === 0 ? ` ${middle} ` : "",
        `${outer.charAt(0).toUpperCase()}${outer.slice(1)} `,
      ]),
    ),
  );
  return spreadsheetOf([["level1", "level2", "level3"], ...rows]);
}

/** A checkout with the given tables in AffectGPT/emotion_wheel. */
function makeCheckout(t: TestContext): { folder: string; wheelFolder: string } | null {
  const shared = sharedPath("lexicon");
  if (shared === null) return null;
  const read = (name: string) => JSON.parse(readFileSync(join(shared, name), "utf8"));
  const folder = temporaryFolder(t);
  const wheelFolder = join(folder, "AffectGPT/emotion_wheel");
  mkdirSync(wheelFolder, { recursive: true });
  for (const [name, tree] of Object.entries(read("wheels.json") as Tree)) {
    writeFileSync(join(wheelFolder, `${name}.xlsx`), wheelSheet(tree));
  }
  const synonyms = Object.entries(read("synonyms.json") as Record<string, string[]>);
  const wheelWords = [...new Set(synonyms.flatMap(([, words]) => words))].sort();
  const listOf = (word: string, run: number) =>
    synonyms
      .flatMap(([base, words], i) => (words.includes(word) && i % 2 === run ? [base.toUpperCase()] : []))
      .join(", ");
  const header = ["word_run1", "synonym_run1", "word_run2", "synonym_run2"];
  const rows = wheelWords.map((word, i) => {
    const other = wheelWords[wheelWords.length - 1 - i]!;
    return [word, listOf(word, 0), other, listOf(other, 1)];
  });
  writeFileSync(join(wheelFolder, "synonym.xlsx"), spreadsheetOf([header, ...rows]));
  const formsOf = new Map<string, string[]>();
  for (const [form, bases] of Object.entries(read("forms.json") as Record<string, string[]>)) {
    for (const base of bases) formsOf.set(base, [...(formsOf.get(base) ?? []), form]);
  }
  const lines = [...formsOf].map(([base, forms]) => `${base},"${forms.join(",")}"`);
  writeFileSync(join(wheelFolder, "format.csv"), `name,format\n${lines.join("\n")}\n`);
  return { folder, wheelFolder };
}

/** The official rules on the tables as they lie there, without our code: both metrics without a wheel, then wheel by wheel. */
function rulesAlone(): (form: string) => (string | null)[] {
  const read = (name: string) => JSON.parse(readFileSync(sharedPath(`lexicon/${name}.json`)!, "utf8"));
  const bases: Record<string, string[]> = read("forms");
  const words: Record<string, string[]> = read("synonyms");
  const wheels: Record<string, Record<string, Record<string, string>>> = read("wheel_maps");
  return (form) => {
    const ofForm = [...bases[form]!].sort();
    const candidates = [...new Set(ofForm.flatMap((base) => words[base]!))].sort();
    const places = ["level1", "level2"].flatMap((level) =>
      Object.values(wheels).map((wheel) => {
        const first = candidates.find((word) => Object.hasOwn(wheel[level]!, word));
        return first === undefined ? null : wheel[level]![first]!;
      }),
    );
    return [ofForm[0]!, [...words[ofForm[0]!]!].sort()[0]!, ...places];
  };
}

describe("the tables of 2025", () => {
  test("every one of the 7,386 forms resolves as the published tables say, on every wheel and ring", async (t) => {
    const checkout = makeCheckout(t);
    const published = publishedLexicon("affectgpt");
    if (checkout === null || published === null) return t.skip("lexicon is not beside the repository");
    const [found, ...others] = await readLexiconCheckout(checkout.folder);
    assert.equal(others.length, 0);
    assert.equal(found!.source, checkout.wheelFolder);
    assert.equal(lexiconHash(found!.lexicon), lexiconHash(published));
    const [ours, theirs] = [labelResolver(found!.lexicon), labelResolver(published)];
    const groups = (resolver: typeof ours, form: string) =>
      resolver.metrics.map(({ groups: names }, m) => names[resolver.resolve(form)[m]!] ?? null);
    const forms = [...published.forms!.keys()];
    assert.equal(forms.length, 7386);
    const expected = rulesAlone();
    for (const form of forms) {
      assert.deepEqual(groups(ours, form), expected(form), form);
      assert.deepEqual(groups(theirs, form), expected(form), form);
    }
    const numDifferent = forms.filter(
      (form, i) => String(groups(ours, form)) !== String(groups(theirs, forms[i + 1] ?? "x")),
    );
    assert.ok(numDifferent.length > 500, "control: another form's groups differ");
  });

  test("the published counts and the documented corrections of 2026 come out", (t) => {
    const shared = sharedPath("lexicon");
    const published = publishedLexicon("affectgpt");
    const corrected = publishedLexicon("mer2026");
    if (shared === null || published === null || corrected === null)
      return t.skip("lexicon is not beside the repository");
    const stats = JSON.parse(readFileSync(join(shared, "stats.json"), "utf8"));
    const resolver = labelResolver(published);
    const forms = [...published.forms!.keys()];
    published.wheels.forEach(({ name }, w) => {
      const numResolved = forms.filter((form) => resolver.resolve(form)[2 + w]! >= 0).length;
      assert.equal(numResolved, stats.wheels[name].forms_resolvable, name);
    });
    type Resolution = [string, string, string[], string[]] | null;
    const changes = JSON.parse(readFileSync(join(shared, "mer2026_changes.json"), "utf8"))
      .forms_with_changed_resolution as Record<string, { affectgpt: Resolution; mer2026: Resolution }>;
    const correctedResolver = labelResolver(corrected);
    const resolution = (from: typeof resolver, form: string) =>
      from.metrics.map(({ groups }, m) => groups[from.resolve(form)[m]!] ?? "");
    const flat = (expected: Resolution) => (expected === null ? new Array<string>(12).fill("") : expected.flat());
    assert.equal(Object.keys(changes).length, 60);
    for (const [form, { affectgpt, mer2026 }] of Object.entries(changes)) {
      assert.deepEqual(resolution(resolver, form), flat(affectgpt), form);
      assert.deepEqual(resolution(correctedResolver, form), flat(mer2026), form);
    }
  });

  test("an imported file reads back equal, and a changed one is refused", (t) => {
    const published = publishedLexicon("mer2026");
    if (published === null) return t.skip("lexicon is not beside the repository");
    const file = join(temporaryFolder(t), "mer2026.json");
    writeFileSync(file, lexiconText(published, "a checkout"));
    assert.equal(lexiconHash(readLexiconFile(file)), lexiconHash(published));
    writeFileSync(file, lexiconText(published, "a checkout").replace('"fears"', '"feers"'));
    assert.throws(() => readLexiconFile(file), { code: "ERR_LEXICON_FILE", message: /was changed/ });
    writeFileSync(file, "{}");
    assert.throws(() => readLexiconFile(file), { code: "ERR_LEXICON_FILE" });
    writeFileSync(file, "x");
    assert.throws(() => readLexiconFile(file), { code: "ERR_LEXICON_FILE", message: /expected JSON/ });
  });

  test("what is missing or broken is named with file and line", async (t) => {
    const checkout = makeCheckout(t);
    if (checkout === null) return t.skip("lexicon is not beside the repository");
    const { folder, wheelFolder } = checkout;
    await assert.rejects(readLexiconCheckout(temporaryFolder(t)), {
      code: "ERR_LEXICON_ABSENT",
      message: /synonym\.xlsx/,
    });
    writeFileSync(
      join(wheelFolder, "wheel2.xlsx"),
      spreadsheetOf([
        ["level1", "level2"],
        ["a", "b"],
      ]),
    );
    await assert.rejects(readLexiconCheckout(folder), {
      code: "ERR_LEXICON_TABLE",
      message: /wheel2\.xlsx:1: .*"level3"/,
    });
    writeFileSync(
      join(wheelFolder, "wheel2.xlsx"),
      spreadsheetOf([
        ["level1", "level2", "level3"],
        ["a", "b", ""],
      ]),
    );
    await assert.rejects(readLexiconCheckout(folder), { message: /wheel2\.xlsx:2: expected three rings/ });
    writeFileSync(join(wheelFolder, "wheel2.xlsx"), zipOf({ "x.xml": "no workbook" }));
    await assert.rejects(readLexiconCheckout(folder), { code: "ERR_LEXICON_TABLE", message: /expected a spreadsheet/ });
    writeFileSync(join(wheelFolder, "wheel2.xlsx"), zipOf({ "x.xml": Buffer.alloc(70_000_000) }));
    await assert.rejects(readLexiconCheckout(folder), { code: "ERR_NPZ_TOO_LARGE" });
    writeFileSync(join(wheelFolder, "wheel2.xlsx"), "no zip at all");
    await assert.rejects(readLexiconCheckout(folder), { message: /wheel2\.xlsx/ });
  });
});

describe("the NumPy file of 2026", () => {
  test("is read through the whitelist parser", async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, "wheel_mapping.npz"), Buffer.from(npzFixtures.wheelMapping, "base64"));
    const [found] = await readLexiconCheckout(folder);
    const { lexicon } = found!;
    assert.equal(lexicon.name, "mer2026");
    assert.deepEqual(
      [...lexicon.forms!],
      [
        ["fears", ["fear"]],
        ["fear", ["fear", "fearful"]],
      ],
    );
    assert.deepEqual(
      [...lexicon.synonyms!],
      [
        ["fear", ["scared"]],
        ["fearful", ["afraid", "scared"]],
      ],
    );
    const path = explainLabel(lexicon, " Fears ");
    assert.deepEqual(path.bases, [{ base: "fear", wheelWords: ["scared"] }]);
    assert.deepEqual(path.wheels[0]!.chosen, { word: "scared", group: "fearful" });
  });

  test("another npz is not taken for it", async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, "wheel_mapping.npz"), Buffer.from(npzFixtures.labels, "base64"));
    await assert.rejects(readLexiconCheckout(folder), { code: "ERR_LEXICON_TABLE", message: /a dict/ });
    writeFileSync(join(folder, "wheel_mapping.npz"), Buffer.from(npzFixtures.hostile, "base64"));
    await assert.rejects(readLexiconCheckout(folder), { code: "ERR_NPZ_REFUSED" });
  });
});

test("a label's path names the candidates that lost", () => {
  const rings = { level1: { awe: "surprised", proud: "happy" }, level2: { awe: "amazed", proud: "proud" } };
  const lexicon = lexiconFromTables("small", {
    forms: { prouder: ["proud"], dazed: ["amazed", "proud"] },
    synonyms: { proud: ["proud", "elsewhere"], amazed: ["awe"] },
    wheelMaps: { wheel1: rings },
  });
  const path = explainLabel(lexicon, "Dazed");
  assert.deepEqual(path.candidates, ["awe", "elsewhere", "proud"]);
  assert.deepEqual(path.wheels[0], {
    wheel: "wheel1",
    level: "level1",
    chosen: { word: "awe", group: "surprised" },
    lost: [{ word: "proud", group: "happy" }],
    absent: ["elsewhere"],
  });
  assert.equal(explainLabel(lexicon, "unheard").wheels[0]!.chosen, null);
});
