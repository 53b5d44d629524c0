import type { Subcommand } from "../subcommand.js";

export const doctor: Subcommand = {
  name: "doctor",
  summary: "what is wrong on this host, and the commands that mend it",
  restricted: true,
  run: async (call) => {
    const { answerDoctor } = await import("../doctor/answer-doctor.js"); // status must not load it
    return answerDoctor(call);
  },
};
