/** Labels as they stand between the braces of a sample, `a="1",b="2"`, in the order of the entries. */
export function labelText(labels: Readonly<Partial<Record<string, string | number>>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escapeLabelValue(String(value))}"`)
    .join(',');
}

/** The three escapes that both formats know. */
function escapeLabelValue(value: string): string {
  return NEEDS_ESCAPE.test(value)
    ? value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : value;
}

const NEEDS_ESCAPE = /[\\"\n]/;
