import type { StandInApp } from "./stand-in-apps.js";

/** Answers `{viewer{…}}`, the only question that `gh` asks, with exactly the fields it names. */
export function answerGraphql(body: string, app: StandInApp): object {
  const fields = /\bviewer\s*\{([\w\s,]*)\}/.exec(parseQuery(body))?.[1]?.match(/\w+/g);
  if (fields === undefined || fields === null) return failure("A query attribute must be specified.");
  const viewer: Record<string, string> = {
    __typename: "User",
    id: Buffer.from(`0:Bot${app.id}`).toString("base64"),
    login: `${app.slug}[bot]`,
  };
  const unknown = fields.find((field) => viewer[field] === undefined);
  if (unknown !== undefined) return failure(`Field '${unknown}' doesn't exist on type 'User'`);
  return { data: { viewer: Object.fromEntries(fields.map((field) => [field, viewer[field]])) } };
}

function parseQuery(body: string): string {
  try {
    const request: unknown = JSON.parse(body);
    const isQuery = typeof request === "object" && request !== null && "query" in request;
    return isQuery && typeof request.query === "string" ? request.query : "";
  } catch {
    return "";
  }
}

function failure(message: string): object {
  return { errors: [{ message }] };
}
