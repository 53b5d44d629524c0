/** What gh, and much else, takes before any login: GH_TOKEN first. */
export const tokenVariables = [
  "GH_TOKEN",
  "GITHUB_TOKEN",
  "GH_ENTERPRISE_TOKEN",
  "GITHUB_ENTERPRISE_TOKEN",
] as const;

/** A line that sets one, in a shell's file, fish's too, or in an env file; JavaScript and GNU sed read it alike. */
export function settingPattern(name: string): string {
  return String.raw`^\s*(export\s+|set\s+(-\S+\s+)*)?${name}[= ]`;
}

/** Which of them a text sets to something. */
export function tokenVariablesIn(text: string): string[] {
  const lines = text.split("\n");
  return tokenVariables.filter((name) => {
    const pattern = new RegExp(settingPattern(name));
    return lines.some((line) => pattern.test(line) && !/^["']{0,2}$/.test(line.replace(pattern, "").trim()));
  });
}
