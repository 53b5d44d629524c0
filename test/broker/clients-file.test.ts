import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { appendTable, removeTable, replaceHash } from "../../src/broker/edit-client-tables.js";
import { parseClients } from "../../src/broker/clients-file.js";

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");
const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
const example = /```toml\n([^`]*\[clients\.[^`]*)```/.exec(readme)?.[1] ?? "";
const clientsIn = (text: string) => parseClients(text, "broker.toml") ?? [];

const good = `token_sha256 = "${hashOf("x")}"`;
test.each([
  ["clients = 1", "broker.toml: clients must be a table."],
  ["[client.ops]", "broker.toml: client is not known; the keys are clients."],
  ["[clients]\nops = 1", "broker.toml: clients.ops must be a table."],
  [
    "[clients.ops]\ntoken = 'x'",
    "broker.toml: clients.ops.token is not known; the keys are repositories, permissions, workspaces, admin, token_sha256.",
  ],
  ["[clients.ops]", "broker.toml: clients.ops.token_sha256 must be the SHA-256 of its bearer token"],
  [`[clients.ops]\ntoken_sha256 = "${hashOf("x").toUpperCase()}"`, "in 64 lower-case hex digits"],
  [`[clients.ops]\n${good}\nadmin = "yes"`, "broker.toml: clients.ops.admin must be true or false."],
  [`[clients.ops]\n${good}\nworkspaces = "blue"`, "clients.ops.workspaces must be a list"],
  [`[clients.ops]\n${good}\nworkspaces = [""]`, "clients.ops.workspaces.0 must be a list"],
  [`[clients.ops]\n${good}\nrepositories = ["*"]`, 'owner/repo or owner/*, and not "*"'],
  [`[clients.ops]\n${good}\nrepositories = ["acme/si*"]`, 'and not "acme/si*"'],
  [`[clients.ops]\n${good}\nrepositories = ["https://github.com/acme/site"]`, "and not"],
  [
    `[clients.ops]\n${good}\npermissions = { contents = "own" }`,
    "clients.ops.permissions must be a table of levels",
  ],
  [`[clients.ops]\n${good}\npermissions = {}`, "left out, they are the App's"],
  [`[clients."o p s"]\n${good}`, 'names a client "o p s"'],
  [`[clients.a]\n${good}\n[clients.b]\n${good}`, "gives clients.b another client's token_sha256"],
  ["[clients.ops", "broker.toml, line 1, column"],
])("broker.toml %j is refused, and it is said why", (text, sentence) => {
  expect(() => parseClients(text, "broker.toml")).toThrow(sentence);
});

const written = ["one", "two"].reduce(
  (text, name) =>
    appendTable(text, name, [
      'repositories = ["acme/site"]',
      'permissions = { contents = "read" }',
      `token_sha256 = "${hashOf(name)}"`,
    ]),
  "",
);

test.each([
  ["as client add writes it", written],
  ["as README's example has it", example],
])("a broker.toml %s, cut anywhere, widens nobody", (_, text) => {
  const whole = clientsIn(text);
  expect(whole.length).toBeGreaterThan(0);
  for (let length = 0; length < text.length; length++) {
    let clients: unknown[] = [];
    try {
      clients = clientsIn(text.slice(0, length));
    } catch {
      continue; // it is not whole, and a running broker keeps its clients
    }
    expect(clients).toEqual(whole.slice(0, clients.length));
  }
});

const file = `# Who may ask.

# the operations team
[clients.ops] # since 2026
admin = true
token_sha256 = "${hashOf("ops")}" # of a laptop

# the agents
[ clients . "agent" ]
token_sha256 = "${hashOf("agent")}"
repositories = [
  "acme/site", # the site
]

[clients.agent.permissions]
contents = "read"
# [clients.old]
# the end
`;

describe("a change of one table leaves comments and the other tables as they are", () => {
  test("remove", () => {
    expect(removeTable(file, "ops")).toBe(file.replace(/\[clients\.ops\][\s\S]*?laptop\n/, ""));
    const rest = removeTable(file, "agent");
    expect(rest).toBe(file.replace(/\[ clients[\s\S]*contents = "read"\n/, "\n"));
    expect(clientsIn(rest)).toEqual(clientsIn(file).slice(0, 1));
  });

  test("remove of the last one leaves a file that names nobody, and not an empty one", () => {
    for (const text of [written, file, `# c\n[clients.one]\n${good}`]) {
      const names = clientsIn(text).map(({ name }) => name);
      const rest = names.reduce((left, name) => removeTable(left, name), text);
      expect(parseClients(rest, "broker.toml")).toEqual([]);
      expect(parseClients(appendTable(rest, "new", [good]), "broker.toml")).toHaveLength(1);
    }
  });

  test("rotate, and the hash is the table's last key then", () => {
    expect(replaceHash(file, "ops", hashOf("new"))).toBe(file.replace(hashOf("ops"), hashOf("new")));
    const rotated = replaceHash(file, "agent", hashOf("new"));
    expect(rotated).toBe(
      file
        .replace(`token_sha256 = "${hashOf("agent")}"\n`, "")
        .replace("# the site\n]\n", `# the site\n]\ntoken_sha256 = "${hashOf("new")}"\n`),
    );
  });

  test("with CRLF, and without a line break at the end", () => {
    const text = written.replaceAll("\n", "\r\n").trimEnd();
    expect(clientsIn(removeTable(text, "two"))).toEqual(clientsIn(written).slice(0, 1));
    expect(clientsIn(replaceHash(text, "two", hashOf("new")))[1]?.tokenSha256.toString("hex")).toBe(
      hashOf("new"),
    );
  });
});
