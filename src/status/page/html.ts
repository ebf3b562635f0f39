/** A piece of HTML that is safe to put into a page as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Html | undefined | null | readonly (Html | undefined)[];

/** HTML from a template: every value is escaped unless it is `Html` itself; undefined and null are nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  const parts = withoutIndents(strings);
  let text = parts[0] ?? '';
  for (let index = 0; index < values.length; index++) text += render(values[index]) + (parts[index + 1] ?? '');
  return new Html(text);
}

const cut = new WeakMap<TemplateStringsArray, readonly string[]>();

/** The source's indentation is not for the reader of the page. */
function withoutIndents(strings: TemplateStringsArray): readonly string[] {
  const known = cut.get(strings);
  if (known !== undefined) return known;
  const parts = strings.map((part) => part.replaceAll(/\n\s*/g, '\n'));
  cut.set(strings, parts);
  return parts;
}

function render(value: Value): string {
  if (value === undefined || value === null) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  return value.map((part) => part?.text ?? '').join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  if (!/[&<>"']/.test(text)) return text;
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
