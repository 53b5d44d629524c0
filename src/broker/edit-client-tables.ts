// The text of broker.toml, changed in one client's table: comments and the other tables stay as they are.

/** The text with one more table, at its end. */
export function appendTable(text: string, name: string, lines: readonly string[]): string {
  const separator = text === "" ? "" : text.endsWith("\n") ? "\n" : "\n\n";
  return `${text}${separator}${[`[clients.${name}]`, ...lines, ""].join("\n")}`;
}

/** The text without a client's table and the tables in it; an empty `[clients]` says that it was the last one. */
export function removeTable(text: string, name: string): string {
  const lines = text.split("\n");
  for (const { start, end } of findTables(lines, name).toReversed()) {
    lines.splice(start, end - start);
    closeGap(lines, start);
  }
  if (!lines.some((line) => isHeader(line))) lines.splice(-1, 1, "[clients]", "");
  return lines.join("\n");
}

/** Where lines were taken out, two blank ones would meet, or the text would end in one. */
function closeGap(lines: string[], at: number): void {
  while (at < lines.length && isBlank(lines[at]) && isBlank(lines[at - 1])) lines.splice(at, 1);
  if (at < lines.length) return;
  while (lines.length > 0 && isBlank(lines.at(-1))) lines.pop();
  lines.push("");
}

const hashLine = /^(\s*(?:token_sha256|"token_sha256"|'token_sha256')\s*=\s*["'])[0-9a-f]{64}(?=["'])/;

/** The text with another hash in a client's table, as its last line: a table that was cut short then lacks it, and is refused. */
export function replaceHash(text: string, name: string, sha256: string): string {
  const lines = text.split("\n");
  for (const { start, end } of findTables(lines, name)) {
    const at = lines.findIndex((line, index) => index > start && index < end && hashLine.test(line));
    if (at === -1) continue;
    const [line = ""] = lines.splice(at, 1);
    lines.splice(end - 1, 0, line.replace(hashLine, `$1${sha256}`));
    break;
  }
  return lines.join("\n");
}

/** Where a client's table and the tables in it stand: from the header to the last key, without what comes before the next. */
function findTables(lines: readonly string[], name: string): { start: number; end: number }[] {
  const header = new RegExp(String.raw`^\s*\[\s*${spellings("clients")}\s*\.\s*${spellings(name)}\s*[\].]`);
  return lines.flatMap((line, start) => {
    if (!header.test(line)) return [];
    const next = lines.findIndex((other, index) => index > start && isHeader(other));
    let end = next === -1 ? lines.length : next;
    while (isBlank(lines[end - 1]) || /^\s*#/.test(lines[end - 1] ?? "")) end--;
    return [{ start, end }];
  });
}

/** A key, bare or in quotes, as a pattern. */
function spellings(key: string): string {
  return `(?:${key}|"${key}"|'${key}')`;
}

function isHeader(line: string): boolean {
  return /^\s*\[/.test(line);
}

/** Beyond the text's first and last line there is nothing, either. */
function isBlank(line: string | undefined): boolean {
  return line === undefined || line.trim() === "";
}
