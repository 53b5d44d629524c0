/** Somebody else's command backend: what Takopi's contract asks for, and nothing of ours. */
export const BACKEND = {
  id: "hello",
  description: "greets",
  handle: async ({ args, argsText, message, pluginConfig, executor }) => {
    const word = pluginConfig.word ?? "Hello";
    if (args[0] === "slowly") {
      const sent = await executor.send({ text: "…" });
      if (sent) return void (await executor.edit(sent, { text: `${word}, slowly` }));
    }
    if (args[0] === "never") throw new Error("no ghs_0123456789abcdefghij for you");
    if (args[0] === "silently") return undefined;
    return { text: `${word}, ${argsText || message.senderId}` };
  },
};
