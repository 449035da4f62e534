// What an examination of the machine says.

/** Example: `{ name: "disk", isWorking: true, text: "12 GB free in /home/ann", values: { freeBytes: 12884901888 } }` */
export interface Finding {
  readonly name: string;
  readonly isWorking: boolean;
  /** For people: what was found, or why it does not work. */
  readonly text: string;
  /** The same for programs. */
  readonly values: Readonly<Record<string, string | number | boolean | null>>;
  /** What to do, one line each; empty when it works. */
  readonly mend: readonly string[];
}

/** Without the name; working and without anything to mend unless it says otherwise. */
export type Found = Pick<Finding, "text"> & Partial<Omit<Finding, "name">>;

export type Environment = Readonly<Record<string, string | undefined>>;
