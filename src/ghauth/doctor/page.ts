import type { Level } from "./finding.js";
import type { Diagnosis } from "./examine.js";

/** `- label: ok (detail)`, as Takopi's own doctor writes it, and under it what mends it. */
export function renderDiagnosis({ label, level, detail, remedy }: Diagnosis): string {
  const mending = remedy === null ? [] : remedy.split("\n").map((line) => `    ${line}`);
  return [`- ${label}: ${level} (${detail})`, ...mending].join("\n");
}

/** All of it, under a line that says how it went. */
export function renderDiagnoses(diagnoses: readonly Diagnosis[], hostName: string | null): string {
  const place = hostName === null ? "" : ` (${hostName})`;
  return [
    `ghauth doctor${place}: ${verdictOf(diagnoses)}`,
    ...diagnoses.map((each) => renderDiagnosis(each)),
  ].join("\n");
}

/** `2 errors, 1 warning`, or that all is well. */
export function verdictOf(diagnoses: readonly Diagnosis[]): string {
  const count = (level: Level) => diagnoses.filter((each) => each.level === level).length;
  const told = (["error", "warning"] as const).flatMap((level) => {
    const number = count(level);
    return number === 0 ? [] : [`${number} ${level}${number === 1 ? "" : "s"}`];
  });
  return told.length === 0 ? "all is well" : told.join(", ");
}
