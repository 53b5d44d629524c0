/** GitHub compares logins and repository names without regard to case. */
export function isSameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Each name once, in its first spelling. */
export function distinctNames(names: string[]): string[] {
  return names.filter((name, index) => names.findIndex((other) => isSameName(other, name)) === index);
}
