#!/usr/bin/env bash
# Builds takopi-ghauth and installs it for this user: the program, the unit of the chat host, and Takopi's shim.
set -euo pipefail
umask 077

usage='usage: install_local.sh [--dry-run]

Builds the checkout and installs it under ~/.local/lib/takopi-ghauth, with ghauth, git-credential-ghauth and the
refresh script in ~/.local/bin, and the chat host as takopi-ghauth.service, which is not enabled. Where uv has
installed Takopi, it gets /ghauth too, beside all that it was installed with. Run again, it upgrades in place.

  --dry-run  show what would change, and change nothing

TAKOPI_INSTALL_WITH names more packages for Takopi, separated by spaces; GHAUTH_NODE is the path of the node to be
used, where that is not the one on PATH.'

known_options=(--dry-run)

# shellcheck source=scripts/setup.bash
source "${BASH_SOURCE[0]%/*}/setup.bash"

main() {
  read_options "$@"
  need_node
  need_plain_home
  stop_if_missing
  build
  need_program
  stop_if_missing

  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  trap finish EXIT
  ensure_dir "$program_dir"
  if [[ $dry_run == no ]]; then take_lock; fi
  ensure_dir "$unit_dir"
  install_program
  install_units
  read_settings
  keep_to_owner "$takopi_toml" "$(value_of GHAUTH_BROKER_TOKEN_FILE "$saved_settings")"
  if [[ $dry_run == no ]]; then
    is_done=yes
    keep_all
    drop_old_releases
    reload_units
  fi
  install_shim
  show_result
  return "$shim_status"
}

# A copy that was installed has no sources: it is installed as it is.
build() {
  [[ -f $root/build.mjs ]] || return 0
  if [[ $dry_run == yes ]]; then
    say "would build $(shown "$root")/dist, and install it with its units"
    [[ -f $root/dist/main.js ]] || exit 0 # only then would it be known what changes
    return
  fi
  command -v npm >/dev/null || missing+=("npm, to build the checkout")
  [[ -d $root/node_modules ]] || missing+=("the dependencies: run npm ci first, in $root")
  stop_if_missing
  say "building…"
  (cd "$root" && PATH=${node%/*}:$PATH npm run --silent build) || fail 75 "the build failed: nothing was installed."
}

install_units() {
  local path
  for path in "$root"/systemd/*; do
    path=${path##*/}
    [[ " ${refresh_units[*]} " == *" $path "* ]] || put 0644 "$unit_dir/$path" "$(render_unit "$path")"$'\n'
  done
}

# What is set up already: nothing where bootstrap has not run.
read_settings() {
  saved_settings=''
  [[ -e $settings_file ]] || return 0
  read_saved_settings || warn "the refresh cannot run with its settings: ${complaint//$'\n'/ }"
}

reload_units() {
  use_user_manager
  systemctl --user daemon-reload 2>/dev/null ||
    warn "systemd's user manager cannot be reached now: it will find the new units when it starts."
}

# --- Takopi's own environment, which uv replaces as a whole

shim_status=0
shim=''
files_for_uv=''
skip_shim() { shim="Skipped: /ghauth inside Takopi, because $*"; }

install_shim() {
  local tool words
  local -a more=() options=()
  command -v uv >/dev/null || {
    skip_shim "uv was not found. Install uv and Takopi, and run this again."
    return
  }
  tool=$(uv tool dir 2>/dev/null || :)/takopi
  if [[ ! -f $tool/uv-receipt.toml ]]; then
    skip_shim "uv has not installed Takopi. Run uv tool install takopi, and this again."
    return
  fi
  read -ra more -d '' <<<"${TAKOPI_INSTALL_WITH-}" || : # the end of the text ends it too
  files_for_uv=$(mktemp -d)
  if ! words=$("$tool/bin/python" -B "$root/bridge/uv_receipt.py" "$tool/uv-receipt.toml" \
    "$HOME/.takopi/takopi.toml" "$program_dir/current/bridge" "$files_for_uv" "${more[@]}" 2>&1); then
    shim_failed "${words##*$'\n'}"
    return
  fi
  if [[ $words == installed ]]; then
    note_shim "$tool"
    return
  fi
  # Without --reinstall-package uv would take a build of the old shim for this one.
  mapfile -t options <<<"${words#*$'\n'}"
  options=(tool install --reinstall-package takopi-ghauth "${options[@]}")
  note_change "$tool" "Takopi's environment, by uv$(printf ' %q' "${options[@]}")"
  [[ $dry_run == no ]] || return 0
  uv "${options[@]}" || {
    shim_failed "uv failed, as it says above."
    return
  }
  note_shim "$tool"
  shim="Takopi has /ghauth. Check it: takopi plugins --load. Then restart Takopi.
Upgrade Takopi by uv tool upgrade takopi: uv tool install -U takopi would drop /ghauth without a word."
}

# So that doctor can tell when uv has replaced that environment by one without it.
note_shim() { [[ $dry_run == yes ]] || printf '%s\n' "$1" >"$program_dir/takopi-tool"; }

shim_failed() {
  shim_status=75
  shim="Takopi's /ghauth was not installed, all else was: $*"
}

is_done=no
finish() {
  local status=$?
  trap - EXIT INT TERM HUP
  set +e
  [[ -z $files_for_uv ]] || rm -rf -- "$files_for_uv"
  if [[ $is_done == no && $dry_run == no ]]; then
    put_back
    printf '%s: this installation was not completed; what was there before is in place again.\n' "${0##*/}" >&2
  fi
  exit "$status"
}

show_result() {
  if ((${#changed[@]} == 0)); then say "Nothing to change: this version is installed already."; fi
  [[ -z $shim ]] || if ((shim_status == 0)); then say "$shim"; else warn "$shim"; fi
  [[ $dry_run == no ]] || return 0
  say "ghauth is in $(shown "$bin_dir"), its documentation and takopi.example.toml in $(shown "$program_dir/current")."
  [[ ":$PATH:" == *":$bin_dir:"* ]] || warn "$bin_dir is not on your PATH: add it, so that git and you find ghauth."
  say "With $(shown "$takopi_toml") in place, start the chat host: systemctl --user enable --now $chat_unit"
  tell_of_running_units
  tell_of_refresh_unit
}

tell_of_running_units() {
  local unit
  for unit in "$chat_unit" "$broker_unit"; do
    systemctl --user --quiet is-active "$unit" 2>/dev/null || continue
    ((${#changed[@]} == 0)) || say "$unit is running the old version: systemctl --user restart $unit"
    systemctl --user --quiet is-enabled "$unit" 2>/dev/null ||
      warn "$unit will be gone after the next boot. Run: systemctl --user enable $unit"
  done
}

# bootstrap fills the refresh units in; whether they are this version's shows only when that is done once more.
tell_of_refresh_unit() {
  local unit
  [[ -n $saved_settings ]] || return 0
  use_paths_of "$saved_settings"
  [[ -e $unit_dir/$refresh_unit.service ]] || return 0
  for unit in "${refresh_units[@]}"; do
    [[ -e $unit_dir/$unit && $(render_unit "$unit") == "$(<"$unit_dir/$unit")" ]] && continue
    warn "$unit is older than this program: run bootstrap again, $(shown "$program_dir/current/scripts/bootstrap_user_refresh.sh")"
    return
  done
}

main "$@"
