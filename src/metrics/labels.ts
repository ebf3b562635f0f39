type Labels = Readonly<Partial<Record<string, string | number>>>;

/** The second part of labels that are all in the first. */
export const NO_MORE: Uint8Array = Buffer.alloc(0);

/** Labels as they stand between the braces of a sample, `a="1",b="2"`, in the order of the entries. */
export function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabelValue(String(value))}"`)
    .join(',');
}

export function labelBytes(labels: Labels): Uint8Array {
  return Buffer.from(labelText(labels));
}

/** Labels that follow others. */
export function moreLabelBytes(labels: Labels): Uint8Array {
  return Buffer.from(`,${labelText(labels)}`);
}

/** The three escapes that both formats know. */
function escapeLabelValue(value: string): string {
  return NEEDS_ESCAPE.test(value)
    ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : value;
}

const NEEDS_ESCAPE = /[\\"\n]/;
