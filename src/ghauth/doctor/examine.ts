import { GhauthError, messageOf } from "../../errors.js";
import { withinTime } from "../../system/within-time.js";
import { redact } from "../../token/redact.js";
import type { Secret } from "../../token/secret.js";
import type { Check, Host } from "./check.js";
import { checks } from "./checks.js";
import { type Finding, type Level, type Remedy, renderRemedy, warning } from "./finding.js";

/** A line of doctor: the worst that its check has found, and all of it. Without secrets. */
export type Diagnosis = { label: string; level: Level; detail: string; remedy: string | null };

/** The same, and what `--fix` works on. */
export type Examined = Diagnosis & { findings: readonly Finding[] };

const limitMs = 4_500;
const severity: readonly Level[] = ["error", "warning", "ok"];

/** Runs all checks at once, each within its own limit. Never rejects. */
export async function examine(host: Host): Promise<Examined[]> {
  const secrets = host.token.type === "token" ? [host.token.token.secret] : [];
  return Promise.all(checks.map(async (check) => summarize(check.label, await look(check, host), secrets)));
}

async function look({ label, run }: Check, host: Host): Promise<Finding[]> {
  const again = "Look again: `ghauth doctor`";
  try {
    const late = () => new GhauthError("unexpected", `no answer within ${limitMs / 1000} s`);
    return await withinTime(Promise.resolve(host).then(run), limitMs, late);
  } catch (thrown) {
    return [warning(`${label} could not be looked at: ${messageOf(thrown)}`, again)];
  }
}

function summarize(label: string, found: readonly Finding[], secrets: readonly Secret[]): Examined {
  const findings = found.toSorted(
    (one, other) => severity.indexOf(one.level) - severity.indexOf(other.level),
  );
  const clean = (text: string) => redact(text, secrets).replaceAll(/\s*\n\s*/g, " ");
  const hasRemedy = findings.some(({ remedy }) => remedy !== null);
  return {
    label,
    level: findings[0]?.level ?? "ok",
    detail: clean(findings.map(({ detail }) => detail.replace(/\.$/, "")).join("; ")),
    remedy: !hasRemedy ? null : redact(joinRemedies(findings), secrets),
    findings,
  };
}

/** Command lines as long as all are; else one sentence. */
function joinRemedies(findings: readonly Finding[]): string {
  const remedies = findings.map(({ remedy }) => remedy).filter((remedy): remedy is Remedy => remedy !== null);
  if (remedies.every((remedy) => typeof remedy !== "string"))
    return [...new Set(remedies.map((remedy) => renderRemedy(remedy)))].join("\n");
  const parts = remedies.map((remedy) =>
    typeof remedy === "string"
      ? remedy
      : `Run ${renderRemedy(remedy)
          .split("\n")
          .map((line) => `\`${line}\``)
          .join(", then ")}`,
  );
  return [...new Set(parts)].join("; ");
}
