/** Where an operator gave settings, by their variables: those that were given by another name, or in a file of their own. */
export type SettingNames = Readonly<Record<string, string>>;

/** A setting as its operator knows it, for sentences. */
export function nameOf(variable: string, names: SettingNames = {}): string {
  return names[variable] ?? variable;
}
