/** The two exposition formats: Prometheus text 0.0.4 and OpenMetrics 1.0.0. */
export type Format = 'text' | 'openmetrics';

export const CONTENT_TYPES: { readonly [F in Format]: string } = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/**
 * The format that an Accept header prefers (RFC 9110, section 12.5.1). OpenMetrics must be asked for by name, in a
 * version that 1.0.0 answers; everything else, also what cannot be met or read, gets the text format.
 */
export function formatFor(accept: string | undefined): Format {
  const ranges = parseList(accept);
  const openMetrics = ranges.find(isOpenMetrics);
  if (openMetrics === undefined || openMetrics.quality === 0) return 'text';
  const text = mostSpecific(ranges, ['text/plain', 'text/*', '*/*']);
  if (text === undefined || openMetrics.quality !== text.quality) {
    return openMetrics.quality > (text?.quality ?? 0) ? 'openmetrics' : 'text';
  }
  const named = text.value === 'text/plain';
  return named && ranges.indexOf(text) < ranges.indexOf(openMetrics) ? 'text' : 'openmetrics';
}

/** Whether an Accept-Encoding header allows gzip and does not prefer the plain body (RFC 9110, section 12.5.3). */
export function gzipAllowed(acceptEncoding: string | undefined): boolean {
  const codings = parseList(acceptEncoding);
  const gzip = mostSpecific(codings, ['gzip', 'x-gzip', '*'])?.quality ?? 0;
  const identity = mostSpecific(codings, ['identity'])?.quality ?? 0;
  return gzip > 0 && gzip >= identity;
}

/** One element of a header with quality values; value and parameter names in lower case. */
interface Weighted {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

function isOpenMetrics({ value, parameters }: Weighted): boolean {
  const version = parameters.get('version') ?? '1.0.0';
  return value === 'application/openmetrics-text' && (version === '1.0.0' || version === '0.0.1');
}

/** The best element for the first of the values that has one. */
function mostSpecific(elements: readonly Weighted[], values: readonly string[]): Weighted | undefined {
  for (const value of values) {
    const found = elements.find((element) => element.value === value);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Best first, in the given order where the qualities are equal. Elements that cannot be read are passed over. */
function parseList(header: string | undefined): readonly Weighted[] {
  return (header ?? '')
    .split(',')
    .flatMap((element) => parseElement(element) ?? [])
    .toSorted((one, other) => other.quality - one.quality);
}

const QUALITY = /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/;

function parseElement(element: string): Weighted | undefined {
  const [value = '', ...rest] = element.split(';').map((part) => part.trim());
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const [name = '', text = ''] = part.split('=').map((piece) => piece.trim());
    parameters.set(name.toLowerCase(), text.replaceAll('"', ''));
  }
  const quality = parameters.get('q') ?? '1';
  if (value === '' || !QUALITY.test(quality)) return undefined;
  return { value: value.toLowerCase(), parameters, quality: Number(quality) };
}
