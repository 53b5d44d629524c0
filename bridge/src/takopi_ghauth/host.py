"""The program that loads this one: Takopi, or a host that grew from it and kept its contract under another name."""

import re
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

HOSTS = ("takopi", "untether", "yee88")
FIRST_WITH_BUTTONS = (0, 23, 1)  # from then on Takopi hands a pressed button's data to the command that it names


def import_api():
    for name in sorted(HOSTS, key=lambda name: name not in sys.modules):  # whoever loads us is loaded already
        try:
            return import_module(f"{name}.api")
        except ImportError:
            continue
    raise ImportError(f"takopi-ghauth runs inside one of {', '.join(HOSTS)}, and none is installed here")


api = import_api()


def transport_of(ctx) -> str | None:
    """What the host calls the chat that a command came by, as far as the executor's module tells."""
    module = type(ctx.executor).__module__
    match = re.match(rf"(?:{'|'.join(HOSTS)})[._](?!commands\b)([a-z0-9-]+)", module)
    return match[1] if match else None


def shows_buttons(ctx) -> bool:
    if api.__name__ != "takopi.api" or transport_of(ctx) != "telegram":
        return False
    try:
        return tuple(int(part) for part in re.findall(r"\d+", version("takopi"))[:3]) >= FIRST_WITH_BUTTONS
    except PackageNotFoundError:
        return False
