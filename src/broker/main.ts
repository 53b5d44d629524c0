/** `ghauth broker`: serves tokens until SIGTERM or SIGINT. `ghauth broker client add NAME`: lets a client in. */
export async function main(args: string[]): Promise<number> {
  if (args[0] === "client") {
    const { addClient } = await import("./client-add.js");
    return addClient(args.slice(1), process);
  }
  const { serve } = await import("./serve.js");
  return serve(args);
}
