# shellcheck shell=sh
# The end of each executable: runs $main with the node that GHAUTH_NODE names, else $node, which the set-up found, else
# the one on PATH. Sourced.
# shellcheck disable=SC2154 # the executables set main
unset NODE_DEBUG # for http it prints headers, and with them tokens
if [ -n "${GHAUTH_NODE-}" ]; then
  node=$GHAUTH_NODE
elif [ -n "$node" ] && [ ! -x "$node" ] && command -v node >/dev/null; then
  echo "${0##*/}: $node is gone, and the node on PATH runs instead: run bootstrap_user_refresh.sh again." >&2
  node=node
fi
node=${node:-node}
if ! command -v "$node" >/dev/null; then
  echo "Node was not found ($node): install it, or set GHAUTH_NODE to its path${besides-}." >&2
  exit 78
fi
exec "$node" "$main" "$@"
