import { renderPage } from "../page.js";
import type { Subcommand } from "../subcommand.js";

export const status: Subcommand = {
  name: "status",
  summary: "the token's state, prefix, age and time left",
  run: async ({ hostName, readStatus }) => {
    const { status: read, page } = await readStatus();
    const title = hostName === null ? page.title : `${page.title} (${hostName})`;
    return { ...renderPage({ ...page, title }), exitCode: read.state === "fresh" ? 0 : 1 };
  },
};
