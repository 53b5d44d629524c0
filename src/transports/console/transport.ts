import type { TransportDescriptor } from "../../takopi/transport.js";

/** The terminal that `ghauth run` was started from. */
export const consoleTransport: TransportDescriptor = {
  name: "console",
  readAccess: null,
  alerts: null,
  create: () => ({
    name: "console",
    access: null,
    allowlistKeys: [],
    login: null,
    postsStartupMessage: false,
    run: async (service, signal) => {
      const { runConsole } = await import("./console.js");
      await runConsole({ input: process.stdin, output: process.stdout }, service, signal);
    },
  }),
};
