import { displayPath } from "../../system/paths.js";
import { scheduleFields } from "../status-page.js";
import { renderPage } from "../page.js";
import { describeOrigin } from "../token-origin.js";
import type { Subcommand } from "../subcommand.js";

export const flow: Subcommand = {
  name: "flow",
  summary: "how a token travels from its source to gh, git and agents",
  run: async ({ config, paths, clock, env, hasGh, readTimer }) => {
    const timer = await readTimer();
    const origin = describeOrigin(env, paths);
    const reachesGh = hasGh && !origin.leavesGhAlone;
    const show = (path: string) => displayPath(path, paths.home);
    const steps = [
      { name: origin.name, value: origin.value },
      { name: "refresh script", value: `${show(config.refreshScript)} ${origin.scriptDoes}` },
      { name: "token env file", value: `${show(config.tokenEnvFile)} gets it in one step` },
      ...(reachesGh ? [{ name: "gh", value: `${show(paths.ghConfigDir)}/hosts.yml gets it too` }] : []),
      {
        name: "git and agents",
        value: `take it from there, through the credential helper${reachesGh ? " or gh" : ""}`,
      },
    ];
    return renderPage({
      title: "How a token travels:",
      level: "ok",
      fields: [
        ...steps.map(({ name, value }, index) => ({ name: `${index + 1}. ${name}`, value })),
        ...scheduleFields(timer, clock.now()),
      ],
      actions: [],
    });
  },
};
