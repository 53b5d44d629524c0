import { isObject, parseJson } from "../../files/json.js";
import { errnoOf } from "../../errors.js";
import { runCommand } from "../../system/run-command.js";
import type { Environment } from "../../system/paths.js";
import type { Requester } from "../requester.js";
import { scriptEnvironment } from "../script-environment.js";
import type { PluginConfig } from "../plugin-config.js";

/** What the refresh script says of key, App, installation and held token: it alone may read the key and ask GitHub. */
export type ScriptCheck =
  | { type: "silent"; reason: string }
  | {
      type: "answer";
      ok: boolean;
      exitCode: number | null;
      sentence: string;
      clockOffsetSeconds: number | null;
      rateLimit: { limit: number; remaining: number; resetAt: string } | null;
      repositories: number | null;
    };

const timeoutMs = 3_000;

/** Runs `takopi-refresh-github-token --check`, which mints nothing. Never rejects. */
export async function askRefreshScript(
  plugin: PluginConfig,
  asking: Requester & { env: Environment },
): Promise<ScriptCheck> {
  const [program, ...words] = [...plugin.runRefreshWith, plugin.refreshScript, "--check"] as const;
  try {
    const { stdout, exitCode, timedOut } = await runCommand([program, ...words], {
      env: {
        ...scriptEnvironment(plugin, asking),
        GHAUTH_REFRESH_DEADLINE_SECONDS: String(timeoutMs / 1000),
      },
      timeoutMs,
    });
    if (timedOut) return silent(`no answer within ${timeoutMs / 1000} s`);
    return parseAnswer(stdout, exitCode) ?? silent("the refresh script gave no answer to --check");
  } catch (error) {
    return silent(
      errnoOf(error) === "ENOENT" ? "the refresh script was not found" : "the refresh script cannot be run",
    );
  }
}

function silent(reason: string): ScriptCheck {
  return { type: "silent", reason };
}

function parseAnswer(stdout: string, exitCode: number | null): ScriptCheck | null {
  const answer = parseJson(stdout.trim().split("\n").at(-1) ?? "");
  if (!isObject(answer) || typeof answer["ok"] !== "boolean") return null;
  const limit = answer["rate_limit"];
  return {
    type: "answer",
    ok: answer["ok"],
    exitCode,
    sentence: typeof answer["sentence"] === "string" ? answer["sentence"] : "",
    clockOffsetSeconds: numberIn(answer, "clock_offset_seconds"),
    rateLimit: isObject(limit) ? parseRateLimit(limit) : null,
    repositories: numberIn(answer, "repositories"),
  };
}

function parseRateLimit(table: Record<string, unknown>) {
  const [limit, remaining] = [numberIn(table, "limit"), numberIn(table, "remaining")];
  const resetAt = table["reset_at"];
  return limit === null || remaining === null || typeof resetAt !== "string"
    ? null
    : { limit, remaining, resetAt };
}

function numberIn(table: Record<string, unknown>, name: string): number | null {
  const value = table[name];
  return typeof value === "number" ? value : null;
}
