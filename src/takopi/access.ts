/** Where a message came from and who sent it, as far as its transport can tell. */
export type Origin = {
  channelId: string;
  guildId: string | null;
  senderId: string | null;
  roleIds: readonly string[];
};

/** Whom a transport serves: one chat or guild, or, where `place` is null, its allowed users wherever they are. */
export type AccessPolicy = {
  place: { type: "chat" | "guild"; id: string } | null;
  userIds: ReadonlySet<string>;
  roleIds: ReadonlySet<string>;
};

/** An outsider hears nothing; a guest gets all but restricted subcommands; an operator gets those too. */
export type Standing = "outsider" | "guest" | "operator";

/** The one place that says who may do what. A sender that the transport cannot name is never an operator. */
export function judge(origin: Origin, { place, userIds, roleIds }: AccessPolicy): Standing {
  const { senderId } = origin;
  const isAllowed =
    senderId !== null &&
    (userIds.has(senderId) ||
      origin.roleIds.some((id) => roleIds.has(id)) ||
      isPrivateChatOf(senderId, { origin, place }));
  if (!isInPlace(origin, place)) return "outsider";
  if (isAllowed) return "operator";
  return place === null ? "outsider" : "guest";
}

/** Whether a policy makes nobody an operator: empty lists, and no private chat. */
export function admitsNobody({ place, userIds, roleIds }: AccessPolicy): boolean {
  return userIds.size === 0 && roleIds.size === 0 && !(place?.type === "chat" && isUserId(place.id));
}

function isInPlace({ channelId, guildId }: Origin, place: AccessPolicy["place"]): boolean {
  if (place === null) return true;
  return (place.type === "chat" ? channelId : guildId) === place.id;
}

/** On Telegram a private chat has its user's id; groups' ids are negative (core.telegram.org/bots/api#chat). */
function isPrivateChatOf(
  senderId: string,
  { origin, place }: { origin: Origin; place: AccessPolicy["place"] },
): boolean {
  return place?.type === "chat" && origin.channelId === senderId && isUserId(senderId);
}

function isUserId(id: string): boolean {
  return !id.startsWith("-");
}
