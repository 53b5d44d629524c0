import { accessSync, constants, statSync } from "node:fs";
import { errnoOf } from "../../../errors.js";
import { shellWord } from "../../../files/shell-word.js";
import type { Check } from "../check.js";
import { openToOthers } from "../file-mode.js";
import { command, error, ok } from "../finding.js";

/** What `/ghauth refresh` and the timer run: there, executable, and not to be changed by others. */
export const refreshScript: Check = {
  label: "refresh script",
  run: ({ plugin: { refreshScript: path }, show, setupScript }) => {
    const bootstrap = command(setupScript("bootstrap_user_refresh.sh"));
    try {
      if (!statSync(path).isFile()) return [error(`${show(path)} is not a file`, bootstrap)];
      accessSync(path, constants.X_OK);
    } catch (thrown) {
      if (errnoOf(thrown) !== "EACCES") return [error(`${show(path)} was not found`, bootstrap)];
      return [
        error(`${show(path)} cannot be executed`, [
          { words: ["chmod", "u+x", path], undo: () => [`chmod u-x ${shellWord(path)}`] },
        ]),
      ];
    }
    const open = openToOthers(path, { mask: 0o022, mode: "755", what: show(path) });
    return open.length > 0 ? open : [ok(show(path))];
  },
};
