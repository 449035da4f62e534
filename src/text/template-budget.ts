// Runs chat templates within bounds. A template comes with a checkpoint, and a few characters of it can ask for any amount
// of work (nested ranges, texts that double): every node that is evaluated, every item that is looped over or filtered and
// every character that is made costs a step or a character of a budget. Prompts of any length that a model can read stay
// far below it.
import * as jinja from "@huggingface/jinja";
import { Template } from "@huggingface/jinja";

interface Statement {
  readonly type: string;
}
interface RuntimeValue {
  readonly value: unknown;
}
interface Scope {
  set(name: string, value: unknown): void;
}

/** Exported, with declarations that do not resolve from a module. */
const { Environment, Interpreter } = jinja as unknown as {
  readonly Environment: new () => Scope;
  readonly Interpreter: new (
    environment: Scope,
  ) => {
    run(program: object): RuntimeValue;
    evaluate(statement: Statement | undefined, environment: Scope): RuntimeValue;
  };
};

/** A second or two. */
const MAX_STEPS = 1_000_000;
/** Characters that a rendering may make beside several copies of what it was given. */
const MAX_CHARACTERS = 4_000_000;
const COPIES = 8;
/** Items of one range: loops over it cost steps besides. */
const MAX_RANGE = 100_000;
/** Each round of a loop makes its variables anew. */
const STEPS_PER_ITEM = 4;
/** Characters that are looked through in the time of a step. */
const CHARACTERS_PER_STEP = 256;

/** A template's longest source; the longest published ones have a tenth. */
export const MAX_SOURCE = 200_000;

/** Nodes whose values are made, not looked up: their characters count. */
const MAKERS = new Set(["BinaryExpression", "FilterExpression", "CallExpression", "For", "FilterStatement", "Program"]);

/** Renders a parsed template. @throws Error when it refuses its input, RangeError beyond the budget */
export function renderWithin(
  template: Template,
  items: Readonly<Record<string, unknown>>,
  numCharacters: number,
  maxSteps = MAX_STEPS,
): string {
  const environment = new Environment();
  for (const [name, value] of Object.entries({ ...constants, ...items })) environment.set(name, value);
  const interpreter = new BudgetInterpreter(environment, template, maxSteps, MAX_CHARACTERS + COPIES * numCharacters);
  return String(interpreter.run(template.parsed).value);
}

/** What the library's own environment has, with a range that is bounded. */
const constants: Readonly<Record<string, unknown>> = {
  ...{ false: false, true: true, none: null, False: false, True: true, None: null },
  raise_exception: (message: unknown) => {
    throw new Error(String(message));
  },
  range: boundedRange,
  strftime_now: (format: string) => new Template("{{ strftime_now(format) }}").render({ format }),
};

function boundedRange(first: number, last?: number, step = 1): number[] {
  const [from, to] = last === undefined ? [0, first] : [first, last];
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (step === 0 || !(length <= MAX_RANGE)) throw new RangeError(`a range of ${length} items by ${step}`);
  return Array.from({ length }, (_, i) => from + i * step);
}

class BudgetInterpreter extends Interpreter {
  #steps: number;
  #characters: number;
  /** Nodes whose values somebody goes through from end to end. */
  readonly #walked: ReadonlySet<unknown>;

  constructor(environment: Scope, template: Template, maxSteps: number, maxCharacters: number) {
    super(environment);
    this.#steps = maxSteps;
    this.#characters = maxCharacters;
    this.#walked = walkedNodes(template.parsed);
  }

  override evaluate(statement: Statement | undefined, environment: Scope): RuntimeValue {
    this.#spend(1);
    const value = super.evaluate(statement, environment);
    const { value: content } = value;
    if (typeof content === "string") {
      if (MAKERS.has(statement?.type ?? "")) this.#make(content.length);
      if (this.#walked.has(statement)) this.#spend(content.length / CHARACTERS_PER_STEP);
    } else if (Array.isArray(content) && (this.#walked.has(statement) || MAKERS.has(statement?.type ?? ""))) {
      this.#spend(STEPS_PER_ITEM * content.length);
    } else if (content instanceof Map && this.#walked.has(statement)) {
      this.#spend(STEPS_PER_ITEM * content.size);
    }
    return value;
  }

  #spend(steps: number): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw new RangeError("more work than a prompt is worth");
  }

  #make(characters: number): void {
    this.#characters -= characters;
    if (this.#characters < 0) throw new RangeError("more text than a prompt can have");
  }
}

/** The places of a node whose value is gone through. */
const WALKED: Readonly<Record<string, readonly string[]>> = {
  For: ["iterable"],
  SelectExpression: ["lhs"],
  FilterExpression: ["operand"],
  TestExpression: ["operand"],
  BinaryExpression: ["left", "right"],
};

function walkedNodes(program: object): ReadonlySet<unknown> {
  const walked = new Set<unknown>();
  const open: unknown[] = [program];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node !== "object" || node === null) continue;
    const fields = node as Record<string, unknown>;
    for (const place of WALKED[String(fields.type)] ?? []) walked.add(fields[place]);
    // The object of a slice, or of a method that is called.
    const { callee, property, object } = fields as Record<string, { type?: string; object?: unknown } | undefined>;
    if (callee?.type === "MemberExpression") walked.add(callee.object);
    if (property?.type === "SliceExpression") walked.add(object);
    const children = node instanceof Map ? [...node].flat() : Object.values(fields);
    open.push(...children.flat().filter((child) => child !== undefined));
  }
  return walked;
}
