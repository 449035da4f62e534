// Writes src/tensor/ops.gen.ts from native/ops.txt and the schemas of the loaded libtorch. Required schema arguments are
// positional, everything with a default goes into one options object, overloads become TypeScript overloads, operators
// whose first argument is `self` become methods too. No logic is generated beyond choosing the overload.
// --check writes nothing and fails when the file is not up to date.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const native = createRequire(import.meta.url)(process.env.OPPO_NATIVE ?? at("build/native/oppo_native.node"));

/** Set by us or meaningless here: never an option. */
const hidden = new Set(["layout", "pin_memory", "out", "names"]);
/** JavaScript would guess an integer type from an integral number: these take an explicit dtype. */
const needsDType = new Set(["full", "arange", "scalar_tensor"]);
/** Schema words that TypeScript reserves, and functions that are no free names. */
const renamed = { var: "variance", function: "fn", in: "input", default: "fallback" };

/** Splits at top-level commas: "int[2] a, Tensor(a!)[] b=[0, 1]". */
function splitArguments(text) {
  const parts = [""];
  let depth = 0;
  for (const char of text) {
    if ("([".includes(char)) depth++;
    if (")]".includes(char)) depth--;
    if (char === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += char;
  }
  return parts.map((part) => part.trim()).filter(Boolean);
}

/** "Tensor(a!)[] self", "int[2]? dim=None", "ScalarType? dtype=None" */
function parseArgument(annotated, keywordOnly) {
  const text = annotated.replace(/\([^)]*\)/, "");
  const [, rawType, name = "", fallback] = /^(\S+?)(?:\s+([A-Za-z_]\w*)(?:=(.*))?)?$/s.exec(text);
  const type = rawType
    .replace(/\([^)]*\)/, "")
    .replaceAll("SymInt", "int")
    .replace(/\[\d+\]/, "[]");
  const fixedLength = Number(/\[(\d+)\]/.exec(rawType)?.[1] ?? 0);
  return {
    type,
    name,
    keywordOnly,
    hasDefault: fallback !== undefined,
    fixedLength,
    isWritten: annotated.includes("!"),
  };
}

/** Reads a schema as libtorch prints it. */
function parseSchema(text) {
  const [, name, overload = "", args, results] = /^([\w:]+)(?:\.(\w+))?\((.*)\) -> (.*)$/s.exec(text);
  const parts = splitArguments(args);
  const star = parts.indexOf("*");
  const list = parts
    .map((part, i) => ({ part, keywordOnly: star >= 0 && i > star }))
    .filter(({ part }) => part !== "*");
  const returns = splitArguments(results.startsWith("(") ? results.slice(1, -1) : results);
  return {
    name,
    overload,
    schema: text,
    arguments: list.map(({ part, keywordOnly }) => parseArgument(part, keywordOnly)),
    returns: returns.map((part) => parseArgument(part, false)),
  };
}

const camel = (word) =>
  renamed[word] ??
  word.replace(/^_*(.*?)(_*)$/, (_, body, tail) => body.replace(/_+([a-z0-9])/g, (__, c) => c.toUpperCase()) + tail);

const isNumber = (e) => `typeof ${e} === "number"`;
const isArray = (e) => `Array.isArray(${e})`;
const isString = (e) => `typeof ${e} === "string"`;
const same = (e) => e;

/** Schema type -> TypeScript type, conversion to what the addon takes, runtime test used to choose an overload. */
const kinds = {
  Tensor: ["Tensor", (e) => `${e}.h`, (e) => `${e} instanceof Tensor`],
  "Tensor[]": ["readonly Tensor[]", (e) => `handlesOf(${e})`, isArray],
  "Tensor?[]": ["readonly (Tensor | null)[]", (e) => `optionalHandlesOf(${e})`, isArray],
  Scalar: ["Scalar", same, (e) => `isScalar(${e})`],
  "Scalar[]": ["readonly number[]", same, isArray],
  int: ["number", same, isNumber],
  "int[]": ["readonly number[]", same, isArray],
  float: ["number", same, isNumber],
  "float[]": ["readonly number[]", same, isArray],
  bool: ["boolean", same, (e) => `typeof ${e} === "boolean"`],
  "bool[]": ["readonly boolean[]", same, isArray],
  str: ["string", same, isString],
  ScalarType: ["DType", (e) => `dtypeCode(${e} as DType)`, isString],
  Device: ["string", same, isString],
  MemoryFormat: ["MemoryFormat", (e) => `memoryFormatCode(${e} as MemoryFormat)`, isString],
  Generator: ["Generator", (e) => `${e}.h`, (e) => `${e} instanceof Generator`],
  Layout: ["number", same, isNumber],
};

/** How one argument is written in TypeScript. */
function spell(argument) {
  const raw = argument.type;
  const isOptional = raw.endsWith("?") && raw !== "Tensor?[]";
  const base = isOptional ? raw.slice(0, -1) : raw;
  const kind = kinds[base];
  if (!kind) throw new Error(`${argument.name}: no TypeScript type for ${raw}`);
  let [type, convert, test] = kind;
  if (argument.fixedLength > 0 && base.endsWith("[]")) {
    const listTest = test;
    type = `number | ${type}`;
    test = (e) => `(${isNumber(e)} || ${listTest(e)})`;
  }
  // dtypeCode and memoryFormatCode pass null and undefined through; the others need a guard.
  const passes = ["ScalarType", "MemoryFormat"].includes(base) || convert === same;
  const convertOptional = passes ? convert : base === "Tensor" || base === "Generator" ? (e) => `${e}?.h` : null;
  const guarded = convertOptional ?? ((e) => `(${e} == null ? ${e} : ${convert(e)})`);
  if (!isOptional) return { type, convert, convertOptional: guarded, test };
  const plainTest = test;
  return {
    type: `${type} | null`,
    convert: guarded,
    convertOptional: guarded,
    test: (e) => `(${e} === null || ${plainTest(e)})`,
  };
}

function returnType(returns) {
  const one = (r) => ({ Tensor: "Tensor", "Tensor[]": "Tensor[]", bool: "boolean" })[r.type] ?? "number";
  if (returns.length === 0) return "void";
  return returns.length === 1
    ? one(returns[0])
    : `[${returns.map((r, i) => `${camel(r.name || `r${i}`)}: Tensor`).join(", ")}]`;
}

/** One overload: its signature, and the statement that calls it with parameters p0, p1, ... */
function overload(schema, baseName, constant) {
  const isOption = (a) => a.hasDefault || a.keywordOnly;
  const positional = schema.arguments.filter((a) => !isOption(a));
  const options = schema.arguments.filter((a) => isOption(a) && !hidden.has(a.name));
  const isRequired = (a) =>
    (!a.hasDefault && a.keywordOnly && !a.type.endsWith("?")) || (a.name === "dtype" && needsDType.has(baseName));
  const field = (a) => {
    const type = spell(a).type.replace(isRequired(a) && a.name === "dtype" ? " | null" : "", "");
    return isRequired(a) ? `${camel(a.name)}: ${type}` : `${camel(a.name)}?: ${type} | undefined`;
  };
  const parameters = positional.map((a) => `${camel(a.name)}: ${spell(a).type}`);
  if (options.length > 0) {
    parameters.push(`options${options.some(isRequired) ? "" : "?"}: { ${options.map(field).join("; ")} }`);
  }
  const isInPlace = schema.returns.length === 1 && schema.returns[0].isWritten;
  const result = returnType(schema.returns);
  const finish = (args) => {
    const call = `native.call(${[constant, ...args].join(", ")})`;
    if (isInPlace || result === "void") return `{ ${call}; return${isInPlace ? " p0" : ""}; }`;
    if (result === "Tensor") return `return wrap(${call});`;
    return result.endsWith("]") ? `return wrapList(${call});` : `return ${call};`;
  };
  const short = positional.map((a, i) => spell(a).convert(`p${i}`));
  const full = schema.arguments.map((a) => {
    const i = positional.indexOf(a);
    if (i >= 0) return short[i];
    return hidden.has(a.name) ? "undefined" : spell(a).convertOptional(`o.${camel(a.name)}`);
  });
  while (full.at(-1) === "undefined") full.pop();
  const o = `p${positional.length}`;
  const isPrefix = schema.arguments.slice(0, positional.length).every((a) => positional.includes(a));
  const body =
    options.length === 0
      ? finish(short)
      : isPrefix && !options.some(isRequired)
        ? `{ const o = ${o}; if (o === undefined) ${finish(short)} ${finish(full)} }`
        : `{ const o = ${o} ?? {}; ${finish(full)} }`;
  const tests = positional.slice(1).map((a, i) => spell(a).test(`p${i + 1}`));
  return { schema, positional, parameters, result, body, test: tests.join(" && "), constant };
}

/** Everything generated for one function name. */
function generate(baseName, schemas) {
  const name = camel(baseName);
  const list = schemas.map((s) => overload(s, baseName, `${name}$${s.overload || "base"}`));
  const doc = (o) => `/** \`${o.schema.schema.replaceAll("*/", "")}\` */`;
  const constants = list.map(
    (o) => `const ${o.constant} = native.declare("${o.schema.name}", "${o.schema.overload}");`,
  );
  const signatures = list.map((o) => `${doc(o)}\nexport function ${name}(${o.parameters.join(", ")}): ${o.result};`);
  const branches = list.map((o, i) => (i < list.length - 1 && o.test ? `if (${o.test}) ${o.body}` : o.body));
  const count = Math.max(...list.map((o) => o.parameters.length));
  const names = Array.from({ length: count }, (_, i) => `p${i}`);
  const body = `export function ${name}(${names.map((n) => `${n}?: any`).join(", ")}): any {\n  ${branches.join("\n  ")}\n}`;
  const isMethod = list.every((o) => o.positional[0]?.name === "self" && o.positional[0].type === "Tensor");
  const methods = isMethod
    ? list.map((o) => `    ${doc(o)}\n    ${name}(${o.parameters.slice(1).join(", ")}): ${o.result};`)
    : [];
  const rest = names.slice(1);
  const install = isMethod
    ? [
        `methods.${name} = function (${rest.map((n) => `${n}?: any`).join(", ")}) { return (${name} as any)(${["this", ...rest].join(", ")}); };`,
      ]
    : [];
  return { code: [...constants, ...signatures, body, ""].join("\n"), methods, install, numOverloads: list.length };
}

function wanted() {
  const lines = readFileSync(at("native/ops.txt"), "utf8")
    .split("\n")
    .filter((line) => line && !line.startsWith("#"));
  return lines.flatMap((line) => (line.includes("(") ? [line] : line.trim().split(/\s+/)));
}

function schemasOf(entry) {
  if (entry.includes("(")) return [entry.slice("aten::".length, entry.indexOf("(")), [parseSchema(entry)]];
  const [base, overloads = "_"] = entry.split(":");
  const texts = overloads.split(",").map((o) => {
    const text = native.schemaOf(`aten::${base}`, o === "_" ? "" : o);
    if (!text) process.stderr.write(`native/ops.txt: this libtorch has no aten::${base} with overload ${o}\n`);
    if (!text) process.exitCode = 1;
    return text;
  });
  return [base, texts.filter(Boolean).map(parseSchema)];
}

const functions = wanted()
  .map(schemasOf)
  .filter(([, schemas]) => schemas.length > 0)
  .map((entry) => generate(...entry));
const source = `// Generated by scripts/gen-ops.mjs from native/ops.txt and libtorch's schemas. Do not edit: run npm run gen.
import { type DType, dtypeCode } from "./dtype.ts";
import { Generator } from "./generator.ts";
import { native } from "./native.ts";
import { handlesOf, optionalHandlesOf, type Scalar, Tensor, wrap, wrapList } from "./tensor.ts";

export type MemoryFormat = "contiguous" | "preserve" | "channels_last" | "channels_last_3d";
const memoryFormats = ["contiguous", "preserve", "channels_last", "channels_last_3d"];
const memoryFormatCode = (format: MemoryFormat | null | undefined) => (format ? memoryFormats.indexOf(format) : format);
const isScalar = (x: unknown) => typeof x === "number" || typeof x === "boolean" || typeof x === "bigint";

${functions.map((f) => f.code).join("\n")}
declare module "./tensor.ts" {
  interface Tensor {
${functions.flatMap((f) => f.methods).join("\n")}
  }
}
const methods: any = Tensor.prototype;
${functions.flatMap((f) => f.install).join("\n")}
`;
const target = at("src/tensor/ops.gen.ts");
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== source) {
    process.stderr.write("ops.gen.ts is not what native/ops.txt gives. Run: npm run gen\n");
    process.exitCode = 1;
  }
} else writeFileSync(target, source);
const count = functions.reduce((sum, f) => sum + f.numOverloads, 0);
process.stdout.write(
  `ops.gen.ts: ${functions.length} functions over ${count} overloads, ${source.split("\n").length} lines\n`,
);
