import { readRefreshLog } from "../../token/refresh-log.js";
import { renderPage } from "../page.js";
import { renderMetrics } from "../status-metrics.js";
import type { Subcommand } from "../subcommand.js";
import type { Status } from "../read-status.js";

export const status: Subcommand = {
  name: "status",
  summary: "the token's state, prefix, age and time left",
  run: async ({ hostName, readStatus }) => {
    const { status: read, page } = await readStatus();
    const title = hostName === null ? page.title : `${page.title} (${hostName})`;
    return { ...renderPage({ ...page, title }), exitCode: exitCodeOf(read) };
  },
  forms: {
    json: async ({ readStatus }) => {
      const { status: read } = await readStatus();
      return { text: `${JSON.stringify(read)}\n`, exitCode: exitCodeOf(read) };
    },
    prometheus: async ({ paths, readStatus }) => {
      const { status: read } = await readStatus();
      return { text: renderMetrics(read, readRefreshLog(paths.refreshLog)), exitCode: 0 };
    },
  },
};

function exitCodeOf({ state }: Status): number {
  return state === "fresh" ? 0 : 1;
}
