/** What git says of a credential, as far as it matters here; what it did not say is empty. */
export type Attributes = Record<(typeof names)[number], string>;

const names = ["protocol", "host", "path", "username", "password"] as const;

/** Attributes as git writes them (https://git-scm.com/docs/git-credential#IOFMT): of what is said twice, the last counts. */
export function parseAttributes(text: string): Attributes {
  const attributes: Attributes = { protocol: "", host: "", path: "", username: "", password: "" };
  for (const line of text.split("\n")) {
    const [, name, value = ""] = /^([a-z]+)=(.*?)\r?$/s.exec(line) ?? [];
    const known = names.find((each) => each === name);
    if (known !== undefined) attributes[known] = value;
  }
  return attributes;
}
