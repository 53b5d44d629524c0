import { expect, test } from "vitest";
import { createGhauthCommand } from "../../src/ghauth/ghauth-command.js";
import { systemClock } from "../../src/system/clock.js";
import { createDispatch } from "../../src/takopi/dispatch.js";
import { defaultTakopiConfig } from "../../src/takopi/takopi-config.js";

test.each<[string, unknown, RegExp]>([
  [
    "may refresh where the plugin's own list names them",
    [42],
    /^error:\nThe refresh script .* was not found/,
  ],
  ["may not where it names others", [43], /^You may not run \/ghauth refresh/],
  ["may not where it cannot be read", 42, /^You may not run \/ghauth refresh/],
])("somebody whom no transport allows %s", async (_what, refresh_user_ids, answer) => {
  const command = createGhauthCommand({ clock: systemClock, env: { HOME: "/nonexistent" } });
  const config = {
    ...defaultTakopiConfig("takopi.toml"),
    pluginConfig: () => ({ refresh_user_ids, refresh_script: "/nonexistent/script" }),
  };
  const access = {
    place: { id: "-5", ownerId: null },
    userIds: new Set<string>(),
    roleIds: new Set<string>(),
  };
  const dispatch = createDispatch(new Map([[command.id, command]]), config, {
    transport: "telegram",
    access,
  });
  const result = await dispatch({
    text: "/ghauth refresh",
    message: { channelId: "-5", messageId: "1", threadId: null, senderId: "42", raw: null },
    replyTo: null,
    replyText: null,
    executor: { send: async () => null, edit: async () => {} },
  });
  expect(result?.text.replace(/^(?=The refresh script)/, "error:\n")).toMatch(answer);
});
