/** GitHub's levels of a permission, each with all that the ones before it allow. */
export const permissionLevels = ["read", "write", "admin"];

/** Whether a level asks for more than the one that was granted, if any was. */
export function exceeds(asked: string, granted: string | undefined): boolean {
  return permissionLevels.indexOf(asked) > permissionLevels.indexOf(granted ?? "");
}
