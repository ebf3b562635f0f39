/** A reader of the text format written from its description, with nothing of the program in it. */

export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** @throws on a line that is neither a sample nor a comment */
export function parseText(text: string): readonly Series[] {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('the last line has no end');
  return lines.filter((line) => !line.startsWith('#')).map(parseSample);
}

function parseSample(line: string): Series {
  const name = /^[a-zA-Z_:][\w:]*/.exec(line)?.[0];
  if (name === undefined) throw new Error(`not a sample: ${line}`);
  const labels: Record<string, string> = {};
  let at = name.length;
  if (line[at] === '{') {
    at++;
    while (line[at] !== '}') {
      const label = /^([a-zA-Z_]\w*)="/.exec(line.slice(at))?.[1];
      if (label === undefined || label in labels) throw new Error(`bad label at ${at}: ${line}`);
      at += label.length + 2;
      [labels[label], at] = parseValue(line, at);
      if (line[at] === ',') at++;
      else if (line[at] !== '}') throw new Error(`bad end of a label at ${at}: ${line}`);
    }
    at++;
  }
  const value = /^ (\S+)$/.exec(line.slice(at))?.[1];
  if (value === undefined || Number.isNaN(Number(value))) throw new Error(`bad value: ${line}`);
  return { name, labels, value: Number(value) };
}

/** From after the opening quote: the text, and where the closing quote ends. */
function parseValue(line: string, begin: number): [string, number] {
  let text = '';
  for (let at = begin; at < line.length; at++) {
    if (line[at] === '"') return [text, at + 1];
    if (line[at] !== '\\') {
      text += line[at];
      continue;
    }
    const escaped = { '\\': '\\', '"': '"', n: '\n' }[line[++at] ?? ''];
    if (escaped === undefined) throw new Error(`unknown escape at ${at}: ${line}`);
    text += escaped;
  }
  throw new Error(`a label does not end: ${line}`);
}
