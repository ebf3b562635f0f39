import { Secret } from '../secret.js';
import { fileProblem, reasonOf } from './files.js';
import type { ConfigNode } from './config-node.js';

const MAX_BYTES = 64 * 1024;
const PATTERN = /^[^\s\p{Cc}]+$/u;
const RULE = 'must be text, not empty and without spaces or control characters';

/** Stands for a secret that is missing or wrong; the loading fails in any case. */
const NONE = new Secret('');

/** Keys by name, their values never shown. */
export type Keys = (name: string) => ConfigNode;

/** A secret `x`, given as `x` or in a file as `x_file`. */
export function requiredSecret(keys: Keys, name: string): Secret {
  if (!keys(name).given && !keys(`${name}_file`).given) {
    keys(name).problem(`required key is missing; give ${name} or ${name}_file`);
  }
  return optionalSecret(keys, name) ?? NONE;
}

export function optionalSecret(keys: Keys, name: string): Secret | undefined {
  const [inline, file] = [keys(name), keys(`${name}_file`)];
  if (file.given && inline.given) return file.problem(`${name} is given as well; give one of the two`);
  if (file.given) return fromFile(file);
  const text = inline.text({ pattern: PATTERN, rule: RULE });
  return text === undefined ? undefined : new Secret(text);
}

function fromFile(setting: ConfigNode): Secret | undefined {
  const path = setting.file();
  if (path === undefined) return undefined;
  // A secret given by mistake for its file's path must not be shown.
  const shown = setting.hidden(!/^\.{0,2}\//.test(setting.text() ?? ''));
  const problem = fileProblem(path, MAX_BYTES);
  if (problem !== undefined) return shown.problem(`the file cannot be used: ${problem}`);
  try {
    const secret = Secret.fromFile(path);
    return PATTERN.test(secret.reveal()) ? secret : shown.problem(`what the file holds ${RULE}`);
  } catch (error) {
    return shown.problem(`the file cannot be used: ${reasonOf(error)}`);
  }
}
