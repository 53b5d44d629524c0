import type { Subcommand } from "../subcommand.js";
import { doctor } from "./doctor.js";
import { flow } from "./flow.js";
import { help } from "./help.js";
import { history } from "./history.js";
import { refresh } from "./refresh.js";
import { revoke } from "./revoke.js";
import { status } from "./status.js";

/** The subcommands of /ghauth, in the order in which help shows them. */
export const subcommands: readonly Subcommand[] = [help, flow, status, history, refresh, doctor, revoke];
