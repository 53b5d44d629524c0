/** `ghauth broker`: serves tokens until SIGTERM or SIGINT. `ghauth broker client …`: who may ask it. */
export async function main(args: string[]): Promise<number> {
  if (args[0] === "client") {
    const { main: changeClients } = await import("./client-verb.js");
    return changeClients(args.slice(1), process);
  }
  const { serve } = await import("./serve.js");
  return serve(args);
}
