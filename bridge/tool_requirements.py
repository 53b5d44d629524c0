"""Prints what `uv tool install` must be told to put the shim beside all that Takopi was installed with, one word a line.

Run by install_local.sh with the Python of Takopi's own environment. Arguments: the tool's receipt, Takopi's
configuration, the shim's directory, and further requirements. The first line is `installed` where nothing is new.
"""

import os
import re
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

SOURCES = Path(__file__).parent / "src/takopi_ghauth"


def main(receipt_path, config_path, bridge, *further):
    tool = load(receipt_path)["tool"]
    for key in ("constraints", "overrides", "build-constraints", "excludes"):
        if tool.get(key):
            sys.exit(f"Takopi was installed with {key}, which would be lost")
    takopi, *others = sorted(tool["requirements"], key=lambda requirement: name_of(requirement["name"]) != "takopi")
    named = {name_of(word): word for word in further}
    if "discord" in transports(config_path) and "takopi-discord" not in map(name_of, (r["name"] for r in others)):
        named.setdefault("takopi-discord", "takopi-discord")
    kept = [r for r in others if name_of(r["name"]) not in {*named, "takopi-ghauth"}]
    shim = [r for r in others if name_of(r["name"]) == "takopi-ghauth"]
    is_installed = not named and [r.get("directory") for r in shim] == [bridge] and has_this_shim()
    words = [*requirement_words(takopi, ""), *(["--python", tool["python"]] if "python" in tool else [])]
    for requirement in kept:
        words += requirement_words(requirement, "--with")
    # A path is given as people would, unless it would need quoting.
    shim_word = bridge if re.fullmatch(r"[\w./+-]+", bridge) else f"takopi-ghauth @ {Path(bridge).as_uri()}"
    for word in [*named.values(), shim_word]:
        words += ["--with", word]
    print("installed" if is_installed else "new", *words, sep="\n")


def has_this_shim():
    spec = find_spec("takopi_ghauth")
    installed = Path(spec.submodule_search_locations[0], "backend.py") if spec else None
    return spec is not None and installed.read_bytes() == (SOURCES / "backend.py").read_bytes()


def load(path):
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except (OSError, ValueError) as error:
        sys.exit(f"{path} cannot be read: {error}")


def transports(path):
    transport = load(path).get("transport") if os.path.exists(path) else None
    return transport if isinstance(transport, list) else [transport]


def name_of(requirement):
    """A requirement's name as package indexes compare it; a path or a URL stands for itself."""
    match = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*(?=\s*($|[\[@<>=!~;]))", requirement)
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match else requirement


def requirement_words(requirement, option):
    """One entry of a uv receipt as words of a command line; without an option it is the tool itself."""
    if "editable" in requirement:
        return [f"{option or '-'}-editable", requirement["editable"]]
    text = requirement["name"]
    if requirement.get("extras"):
        text += f"[{','.join(requirement['extras'])}]"
    if "git" in requirement:
        text += f" @ git+{git_url(requirement['git'])}"
    elif "url" in requirement:
        text += f" @ {requirement['url']}"
    elif place := requirement.get("path") or requirement.get("directory"):
        text += f" @ {Path(place).as_uri()}"
    text += requirement.get("specifier", "")
    if "marker" in requirement:
        text += f" ; {requirement['marker']}"
    return [option, text] if option else [text]


def git_url(url):
    """A receipt keeps branch, tag or revision and the subdirectory in the query."""
    scheme, place, path, query, _ = urlsplit(url)
    asked = {key: values[0] for key, values in parse_qs(query).items()}
    reference = next((asked[key] for key in ("rev", "tag", "branch") if key in asked), None)
    folder = f"subdirectory={asked['subdirectory']}" if "subdirectory" in asked else ""
    return urlunsplit((scheme, place, path + (f"@{reference}" if reference else ""), "", folder))


main(*sys.argv[1:])
