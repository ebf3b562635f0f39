export type Env = Readonly<Record<string, string | undefined>>;

export type Expanded = { readonly text: string } | { readonly problem: string };

/**
 * `$$`, `${NAME}`, `${NAME:-default}`, and a `${` that begins neither; any other `$` is itself, as regular expressions
 * need it. A default holds no `${`, so that a text of many unfinished references is not searched to its end for each.
 */
const REFERENCE = /\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-((?:[^}$]|\$(?!\{))*))?\}|\$\{/g;

/**
 * Replaces references to the environment. As in a shell, the default also stands in for an empty variable. What a
 * variable holds is not expanded again.
 */
export function expand(text: string, env: Env): Expanded {
  let problem: string | undefined;
  const expanded = text.replaceAll(REFERENCE, (match, name?: string, fallback?: string) => {
    if (match === '$$') return '$';
    if (name === undefined) {
      problem ??= 'not a reference to the environment; write ${NAME} or ${NAME:-default}, or $${ for a literal ${';
      return '';
    }
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (fallback !== undefined) return value || fallback;
    if (value === undefined)
      problem ??= `environment variable ${name} is not set; set it or write \${${name}:-default}`;
    return value ?? '';
  });
  return problem === undefined ? { text: expanded } : { problem };
}

/** The text that expands to `text` again. */
export function unexpand(text: string): string {
  return text.replaceAll(/\$(?=[${])/g, '$$$$');
}
