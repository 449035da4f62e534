// What `--json` prints: one object that says which shape it has, or a list of such. A number of the shape changes when a program that reads the
// one before would break.

/** Example: `{ "schema": "oppo.train/1", "run": "runs/mine", ... }` */
export function printJson(shape: string, fields: object): void {
  console.log(JSON.stringify(shaped(shape, fields), null, 2));
}

/** A list, as it was before shapes had names: every element says which shape it has. */
export function printJsonList(shape: string, items: readonly object[]): void {
  console.log(
    JSON.stringify(
      items.map((item) => shaped(shape, item)),
      null,
      2,
    ),
  );
}

/** The same in one line, for servers that go on afterwards and for long vectors. */
export function printJsonLine(shape: string, fields: object): void {
  console.log(JSON.stringify(shaped(shape, fields)));
}

export function shaped(shape: string, fields: object, version = 1): object {
  return { schema: `oppo.${shape}/${version}`, ...fields };
}
