import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { thinCrowd } from "../../src/broker/crowd.js";

/** A server that lets its connections in when they say so; a crowd is more than 4, and nobody has time to authenticate. */
async function createExample() {
  const server = createServer();
  const crowd = thinCrowd(server, { crowdedAt: 4, graceMs: 0, checkMs: 10 });
  server.on("connection", (socket) =>
    socket.once("data", () => socket.write("in", () => crowd.admit(socket))),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const clients: Socket[] = [];
  return {
    join: async ({ authenticates = false } = {}) => {
      const client = connect(port, "127.0.0.1");
      clients.push(client);
      await once(client, "connect");
      if (authenticates) {
        client.write("hello");
        await once(client, "data");
      }
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

test("in a crowd the oldest connections without a bearer are closed, and no others", async () => {
  await using server = await createExample();
  const known = await server.join({ authenticates: true });
  const strangers = [await server.join(), await server.join(), await server.join()];
  const closed = strangers.map(async (stranger) => once(stranger, "close"));

  await server.join();
  await closed[0];
  const fresh = await server.join();
  await closed[1];

  expect([known, ...strangers, fresh].map(({ destroyed }) => destroyed)).toEqual([
    false,
    true,
    true,
    false,
    false,
  ]);
});

test("as long as there is room nobody is closed", async () => {
  await using server = await createExample();
  const clients = [await server.join(), await server.join(), await server.join()];
  await server.join({ authenticates: true });
  expect(clients.map(({ destroyed }) => destroyed)).toEqual([false, false, false]);
});
