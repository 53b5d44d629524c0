import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { isTable } from "../../../src/files/toml.js";
import { findExamples } from "../../../src/ghauth/doctor/example-values.js";

const checkout = join(import.meta.dirname, "../../..");

test("what README and takopi.example.toml show as somebody's own is known as an example", () => {
  const example = readFileSync(join(checkout, "takopi.example.toml"), "utf8");
  const { transports } = parse(example.replace(/^# (?=\[|\w+ = )/gm, ""));
  for (const [name, keys] of [
    ["telegram", ["bot_token", "chat_id", "allowed_user_ids"]],
    ["discord", ["bot_token", "guild_id"]],
  ] as const) {
    const table = isTable(transports) ? transports[name] : null;
    const { unfit, shown } = findExamples(isTable(table) ? table : {});
    expect([...unfit, ...shown]).toEqual(keys);
  }
  const readme = readFileSync(join(checkout, "README.md"), "utf8");
  const names = ["GITHUB_APP_ID", "GITHUB_APP_INSTALLATION_ID"];
  const settings = names.map((name) => [name, new RegExp(`^${name}=(\\d+)$`, "m").exec(readme)?.[1]]);
  expect(findExamples(Object.fromEntries(settings))).toEqual({ unfit: [], shown: names });
});

test("an operator's own values are none", () => {
  const own = { GITHUB_APP_ID: "4242", chat_id: -77n, allowed_user_ids: [7, 42], bot_token: "1:AAx" };
  expect(findExamples({ ...own, allowed_role_ids: [] })).toEqual({ unfit: [], shown: [] });
});
