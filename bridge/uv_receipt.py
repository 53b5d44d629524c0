"""Prints what `uv tool install` must be told to put the shim beside all that Takopi was installed with, one word a line.

Run by install_local.sh with the Python of Takopi's own environment. Arguments: the tool's receipt, Takopi's
configuration, the shim's directory, a directory for files that uv is to read, and further requirements. The first line
is `installed` where nothing is new. Where the receipt holds what uv has no option for, it names that and prints nothing:
uv would lose it. Receipts are what uv's crates uv-tool and uv-settings write, from version to version with other keys.
"""

import os
import re
import shlex
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

SOURCES = Path(__file__).parent / "src/takopi_ghauth"


def main(receipt_path, config_path, bridge, files, *further):
    tool = load(receipt_path)["tool"]
    requirements = [{"name": r} if isinstance(r, str) else r for r in tool["requirements"]]  # text, as uv once wrote it
    takopi, *others = sorted(requirements, key=lambda requirement: name_of(requirement["name"]) != "takopi")
    named = {name_of(word): word for word in further}
    if "discord" in transports(config_path) and "takopi-discord" not in map(name_of, (r["name"] for r in others)):
        named.setdefault("takopi-discord", "takopi-discord")
    kept = [r for r in others if name_of(r["name"]) not in {*named, "takopi-ghauth"}]
    shim = [r for r in others if name_of(r["name"]) == "takopi-ghauth"]
    if not named and [r.get("directory") for r in shim] == [bridge] and has_this_shim():
        print("installed")
        return
    exposing = {name_of(e["from"]) for e in tool.get("entrypoints", ()) if e.get("from")} - {"takopi"}

    def option_for(name):
        return "--with-executables-from" if name_of(name) in exposing else "--with"

    lost = Lost(bridge)
    words = requirement_words(takopi, "", lost)
    words += tool_words(tool, Path(files), lost)
    words += lfs_words([takopi, *kept], lost)
    for requirement in kept:
        words += requirement_words(requirement, option_for(requirement["name"]), lost)
    for word in named.values():
        words += [option_for(word), word]
    lost += [f"entrypoints of {name}" for name in sorted(exposing - {*named, *map(name_of, (r["name"] for r in kept))})]
    lost.stop_if_any()
    # A path is given as people would, unless it would need quoting.
    words += ["--with", bridge if re.fullmatch(r"[\w./+-]+", bridge) else f"takopi-ghauth @ {Path(bridge).as_uri()}"]
    print("new", *words, sep="\n")


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


class Lost(list):
    """The keys of the receipt that no word for uv stands for."""

    def __init__(self, bridge):
        super().__init__()
        self.bridge = bridge

    def stop_if_any(self):
        if self:
            sys.exit(
                f"uv's receipt holds {', '.join(self)}, which no option of uv tool install can say. "
                f"Install Takopi as you did then, with one more option: --with {shlex.quote(self.bridge)}"
            )


# --- requirements


def name_of(requirement):
    """A requirement's name as package indexes compare it; a path or a URL stands for itself."""
    match = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*(?=\s*($|[\[@<>=!~;]))", requirement)
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match else requirement


REQUIREMENT_KEYS = {"name", "extras", "marker", "specifier", "url", "subdirectory", "git", "path", "directory", "editable"}


def requirement_words(requirement, option, lost):
    """One entry of a receipt as words of a command line; without an option it is the tool itself."""
    if "editable" in requirement:
        if option == "--with-executables-from":
            lost.append(f"entrypoints of {requirement['name']}, which is editable")
        option, text = f"{option or '-'}-editable", requirement["editable"]
    else:
        text = requirement_text(requirement, lost)
    # uv takes a comma for the next requirement's, but in a list of versions and between brackets.
    if option.startswith("--with") and re.search(r",(?!\s*[!=<>~])", re.sub(r"\[[^]]*\]", "", text)):
        lost.append(f"requirements.{requirement['name']} with a comma")
    return [option, text] if option else [text]


def requirement_text(requirement, lost, key="requirements"):
    """The same as a line of a requirements file."""
    name = requirement["name"]
    lost += [f"{key}.{name}.{part}" for part in requirement if part not in REQUIREMENT_KEYS and requirement[part]]
    text = name
    if requirement.get("extras"):
        text += f"[{','.join(requirement['extras'])}]"
    if "git" in requirement:
        lost += [f"{key}.{name}.git with {part}" for part in git_query(requirement["git"]).keys() - GIT_KEYS]
        text += f" @ git+{git_url(requirement['git'])}"
    elif "url" in requirement:
        fragment = f"#subdirectory={requirement['subdirectory']}" if requirement.get("subdirectory") else ""
        text += f" @ {requirement['url'].replace(',', '%2C')}{fragment}"
    elif place := requirement.get("path") or requirement.get("directory"):
        text += f" @ {Path(place).as_uri()}"
    text += requirement.get("specifier", "")
    if requirement.get("marker"):
        text += f" ; {requirement['marker']}"
    return text


GIT_KEYS = {"rev", "tag", "branch", "subdirectory", "path", "lfs"}


def git_url(url):
    """A receipt keeps branch, tag or revision, and the place within the repository, in the query."""
    scheme, host, path, _, _ = urlsplit(url)
    asked = git_query(url)
    reference = next((asked[key] for key in ("rev", "tag", "branch") if key in asked), None)
    place = "&".join(f"{key}={asked[key]}" for key in ("subdirectory", "path") if key in asked)
    return urlunsplit((scheme, host, path + (f"@{reference}" if reference else ""), "", place)).replace(",", "%2C")


def git_query(url):
    return {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}


def is_lfs(requirement):
    return git_query(requirement.get("git", "")).get("lfs") == "true"


def lfs_words(requirements, lost):
    """uv is told of Git LFS once, for all requirements that come from git."""
    from_git = [requirement for requirement in requirements if "git" in requirement]
    with_lfs = list(filter(is_lfs, from_git))
    if with_lfs and len(with_lfs) < len(from_git):
        lost += [f"requirements.{requirement['name']}.git with lfs" for requirement in with_lfs]
    return ["--lfs"] if with_lfs else []


# --- all else of the receipt


def tool_words(tool, files, lost):
    words = []
    for key, value in tool.items():
        if not value or key in ("requirements", "entrypoints"):
            continue
        if key == "python" and isinstance(value, str):
            words += ["--python", value]
        elif key == "options":
            words += option_words(value, lost)
        elif key in FILES:
            words += [f"--{FILES[key]}", requirements_file(files / f"{FILES[key]}.txt", key, value, lost)]
        else:
            lost.append(key)
    return words


FILES = {
    "constraints": "constraints",
    "overrides": "overrides",
    "excludes": "excludes",
    "build-constraint-dependencies": "build-constraints",
    "build-constraints": "build-constraints",  # before uv 0.6.15
}


def requirements_file(path, key, requirements, lost):
    entries = [{"name": entry} if isinstance(entry, str) else entry for entry in requirements]
    lost += [f"{key}.{entry['name']}.editable" for entry in entries if "editable" in entry]
    lost += [f"{key}.{entry['name']}.git with lfs" for entry in entries if is_lfs(entry)]
    path.write_text("".join(f"{requirement_text(entry, lost, key)}\n" for entry in entries))
    return str(path)


def option_words(options, lost):
    """[tool.options], whose keys are those of uv.toml."""
    options = dict(options)
    if span := options.pop("exclude-newer-span", None):
        options["exclude-newer"] = span  # the other is what it came to on that day
    words = []
    for key, value in options.items():
        if value in (None, False, "", [], {}):
            continue
        try:
            words += OPTIONS.get(key, unknown)(f"--{key}", value)
        except Unsayable as part:
            lost.append(f"options.{key}{part}")
    return words


class Unsayable(Exception):
    """A part of an option's value that no word for uv stands for."""


def unknown(_, value):
    raise Unsayable


def one(option, value):
    if not isinstance(value, str):
        raise Unsayable
    return [option, value]


def each(option, values):
    return [word for value in values for word in one(option, value)]


def switch(option, value):
    if value is not True:
        raise Unsayable
    return [option]


def indexes(option, tables):
    words = []
    for table in tables:
        said = {"name", "url", "default"}
        usual = {"format": "simple", "authenticate": "auto"}
        for key, value in table.items():
            if value and key not in said and value != usual.get(key):
                raise Unsayable(f".{key}")
        name = f"{table['name']}=" if table.get("name") else ""
        words += ["--default-index" if table.get("default") else option, name + table["url"]]
    return words


def config_settings(_, table, package=""):
    option = "--config-settings-package" if package else "--config-setting"
    lists = {key: value if isinstance(value, list) else [value] for key, value in table.items()}
    return each(option, [f"{package}{key}={value}" for key, values in lists.items() for value in values])


def package_config_settings(_, tables):
    return [word for package, table in tables.items() for word in config_settings(_, table, f"{package}:")]


def by_package(option, table):
    def said(value):
        if isinstance(value, dict):
            value = value.get("span") or value["timestamp"]
        return "false" if value is False else value

    return each(option, [f"{package}={said(value)}" for package, value in table.items()])


def build_isolation(_, value):
    if isinstance(value, dict):
        return each("--no-build-isolation-package", value["shared-package"])
    return ["--no-build-isolation"] if value == "shared" else []


OPTIONS = {
    **dict.fromkeys(["index-url", "index-strategy", "keyring-provider", "resolution", "prerelease", "fork-strategy"], one),
    **dict.fromkeys(["exclude-newer", "link-mode", "torch-backend"], one),
    **dict.fromkeys(["extra-index-url", "find-links", "no-build-isolation-package", "no-sources-package"], each),
    **dict.fromkeys(["no-build-package", "no-binary-package"], each),
    **dict.fromkeys(["no-index", "no-build-isolation", "compile-bytecode", "no-sources", "no-build", "no-binary"], switch),
    **dict.fromkeys(["exclude-newer-package", "prerelease-package"], by_package),
    "index": indexes,
    "config-settings": config_settings,
    "config-settings-package": package_config_settings,
    "build-isolation": build_isolation,
}

try:
    main(*sys.argv[1:])
except (LookupError, TypeError, AttributeError) as error:
    sys.exit(f"uv's receipt is written otherwise than is known here ({error!r})")
