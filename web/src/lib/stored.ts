// Choices that a browser keeps.  Storage may be forbidden: then a choice lasts as long as the page.

export function stored<V extends string>(key: string, allowed: readonly V[]): V | null {
  try {
    const value = localStorage.getItem(`nyala.${key}`);
    return allowed.find((each) => each === value) ?? null;
  } catch {
    return null;
  }
}

export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(`nyala.${key}`, value);
  } catch {
    // Private windows forbid it: nothing to do.
  }
}
