/** Where a message came from and who sent it, as far as its transport can tell. */
export type Origin = {
  /** The chat, server or workspace, whichever the transport's configuration names. */
  placeId: string | null;
  senderId: string | null;
  roleIds: readonly string[];
};

/** Whom a transport serves: one place, or, where `place` is null, its allowed users wherever they are. */
export type AccessPolicy = {
  /** `ownerId` is the one user whose private chat it is; null where several may be in it. */
  place: { id: string; ownerId: string | null } | null;
  userIds: ReadonlySet<string>;
  roleIds: ReadonlySet<string>;
};

/** An outsider hears nothing; a guest gets all but restricted subcommands; an operator gets those too. */
export type Standing = "outsider" | "guest" | "operator";

/** The one place that says who may do what. A sender that the transport cannot name is never an operator. */
export function judge(
  { placeId, senderId, roleIds: roles }: Origin,
  { place, userIds, roleIds }: AccessPolicy,
): Standing {
  if (place !== null && placeId !== place.id) return "outsider";
  const isAllowed =
    senderId !== null &&
    (userIds.has(senderId) || roles.some((id) => roleIds.has(id)) || senderId === place?.ownerId);
  if (isAllowed) return "operator";
  return place === null ? "outsider" : "guest";
}

/** Whether a policy makes nobody an operator: empty lists, and no private chat. */
export function admitsNobody({ place, userIds, roleIds }: AccessPolicy): boolean {
  return userIds.size === 0 && roleIds.size === 0 && (place === null || place.ownerId === null);
}
