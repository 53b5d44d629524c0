/**
 * The variables of an env file: `KEY=value` lines as systemd's `EnvironmentFile=` reads them (a comment is a whole
 * line), and, because people edit such files, also `export `, quotes, CRLF and a byte order mark. A later line wins.
 */
export function parseEnvFile(text: string): Map<string, string> {
  const variables = new Map<string, string>();
  for (const line of text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/)) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (match?.[1] !== undefined) variables.set(match[1], unquote(match[2] ?? ""));
  }
  return variables;
}

function unquote(value: string): string {
  const [, quote, content] = /^(["'])(.*)\1(?:\s+#.*)?$/.exec(value) ?? [];
  if (content === undefined) return value;
  return quote === '"' ? content.replaceAll(/\\(["\\$`])/g, "$1") : content;
}
