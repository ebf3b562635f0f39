import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Why tests of this process were skipped, told at its end. */
const skipReasons = new Set<string>();

/**
 * The path of a program that the test runs. Without it a developer's run skips the test and names the Debian package;
 * under CI=true it fails.
 */
export function needTool(context: Mocha.Context, command: string, debianPackage: string): string {
  const found = findTool(command, process.env.PATH ?? '');
  return found ?? doWithout(context, `${command} is missing: install the Debian package ${debianPackage}`);
}

/** The program in the first folder of the search path that has it. */
export function findTool(command: string, searchPath: string): string | undefined {
  return searchPath
    .split(delimiter)
    .map((folder) => join(folder, command))
    .find(isExecutable);
}

/** Skips the test, or fails it under CI=true. */
export function doWithout(context: Mocha.Context, reason: string): never {
  if (process.env.CI === 'true') throw new Error(reason);
  if (skipReasons.size === 0) process.once('exit', tellSkipped);
  skipReasons.add(reason);
  return context.skip();
}

function tellSkipped(): void {
  process.stdout.write(
    [...skipReasons]
      .toSorted()
      .map((reason) => `skipped: ${reason}\n`)
      .join(''),
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
