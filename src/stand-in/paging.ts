import type { Answer } from "./github-answers.js";
import type { Call } from "./stand-in-call.js";

/** One page of a list by `per_page` (30, at most 100) and `page`, with GitHub's Link header to the next. */
export function renderPage<Item>(call: Call, items: Item[], render: (shown: Item[]) => object): Answer {
  const size = Math.min(readCount(call, "per_page") ?? 30, 100);
  const page = readCount(call, "page") ?? 1;
  const body = render(items.slice((page - 1) * size, page * size));
  if (page * size >= items.length) return { status: 200, body };
  const next = `${call.apiUrl}${call.path}?per_page=${size}&page=${page + 1}`;
  return { status: 200, headers: { link: `<${next}>; rel="next"` }, body };
}

function readCount({ query }: Call, name: string): number | undefined {
  const count = Number(query.get(name));
  return Number.isInteger(count) && count > 0 ? count : undefined;
}
