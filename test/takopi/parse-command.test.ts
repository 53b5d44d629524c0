import { describe, expect, test } from "vitest";
import { parseCommand } from "../../src/takopi/parse-command.js";

describe("a command is parsed as Takopi does", () => {
  test.each([
    ["/ghauth status", "ghauth", ["status"]],
    ["  \n/ghauth", "ghauth", []],
    ["/GhAuth Status", "ghauth", ["Status"]],
    ["/ghauth@takopi_bot refresh", "ghauth", ["refresh"]],
    ["/ghauth\nstatus", "ghauth", ["status"]],
    ["/ghauth say \"two words\" 'and three'", "ghauth", ["say", "two words", "and three"]],
    ["/ghauth it's \"unbalanced", "ghauth", ["it's", '"unbalanced']],
    ["/ghauth “two words” —force", "ghauth", ["two words", "--force"]],
  ])("%j", (text, command, args) => {
    expect(parseCommand(text)).toMatchObject({ command, args });
  });

  test.each(["", "status", "hello /ghauth", "/", "/ ghauth"])("%j is no command", (text) => {
    expect(parseCommand(text)).toBeNull();
  });
});
