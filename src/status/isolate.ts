/**
 * What `render` gives; if it throws, that is reported and `instead` takes its place. One bad instance must not take a whole
 * page with it.
 */
export function isolate<T>(render: () => T, instead: () => T, onBug: (error: unknown) => void): T {
  try {
    return render();
  } catch (error) {
    onBug(error);
    return instead();
  }
}
