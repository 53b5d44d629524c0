"""Takopi's /ghauth: hands each command to the `ghauth` program and relays its answer, never what else it prints."""

import json
import os
import signal
from contextlib import suppress
from subprocess import DEVNULL, PIPE
from tempfile import TemporaryFile

import anyio
from takopi.api import CommandContext, CommandResult

LONGEST_ANSWER = 262_144
LONGEST_TEXT = 1_900  # Discord drops what is over 2,000
MORE = "run ghauth status on the host, which says more."


class Failure(Exception):
    """A sentence for the chat."""


class GhauthBackend:
    id = "ghauth"
    description = "GitHub token: help, flow, status, history, refresh"

    def __init__(self, headroom_seconds: float = 8) -> None:
        self._headroom_seconds = headroom_seconds  # more than the program's own, so that its sentence arrives

    async def handle(self, ctx: CommandContext) -> CommandResult:
        try:
            text, notify = parse(await self._ask(ctx))
        except Exception as error:  # Takopi would log every frame's locals
            unexpected = f"Something unexpected went wrong in takopi-ghauth ({type(error).__name__})."
            text, notify = f"error:\n{error if isinstance(error, Failure) else unexpected}", True
        return CommandResult(text=text, notify=notify)

    async def _ask(self, ctx: CommandContext) -> bytes:
        config = ctx.plugin_config
        cli = config.get("cli", ["ghauth"])
        if not (isinstance(cli, list) and cli and all(isinstance(word, str) and word for word in cli)):
            raise Failure('plugins.ghauth.cli must be a list of words, as in ["ghauth"].')
        timeout = config.get("refresh_timeout_seconds")
        if type(timeout) not in (int, float) or not 0 < timeout <= 3600:
            timeout = 30  # the program tells what is wrong with it
        request = {"v": 1, "args": ctx.args, "args_text": ctx.args_text}
        request |= {"plugin_config": config, "config_path": ctx.config_path}
        for name in ("channel_id", "thread_id", "sender_id"):
            value = getattr(ctx.message, name, None)
            request[name] = None if value is None else str(value)  # Discord's exceed what JSON numbers hold
        words = [os.path.expanduser(cli[0]), *cli[1:], "command"]
        return await run(words, json.dumps(request, default=str).encode(), timeout + self._headroom_seconds)


def parse(answer: bytes) -> tuple[str, bool]:
    with suppress(ValueError, RecursionError):
        fields = json.loads(answer)
        if isinstance(fields, dict) and isinstance(fields.get("text"), str) and fields["text"].strip():
            text = fields["text"].encode(errors="replace").decode()
            text = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
            return text, fields.get("notify") is not False
    raise Failure(f"ghauth gave no answer that can be shown: run install_local.sh again, or {MORE}")


async def run(words: list[str], request: bytes, seconds: float) -> bytes:
    with TemporaryFile() as stdin, anyio.CancelScope(shield=True):  # a child that nobody holds could not be ended
        stdin.write(request)
        stdin.seek(0)
        try:
            child = await anyio.open_process(words, stdin=stdin, stdout=PIPE, stderr=DEVNULL, start_new_session=True)
        except (OSError, ValueError):
            raise Failure('ghauth cannot be run: set plugins.ghauth.cli, as in ["~/.local/bin/ghauth"].') from None
    code, answer = None, bytearray()
    try:
        with anyio.move_on_after(seconds):
            with suppress(anyio.EndOfStream):
                while len(answer) <= LONGEST_ANSWER:
                    answer += await child.stdout.receive()
            code = await child.wait() if len(answer) <= LONGEST_ANSWER else 0
    finally:
        with anyio.CancelScope(shield=True):
            await end(child)
    if code != 0:
        what = f"gave no answer within {seconds:g} s and was ended" if code is None else f"ended with {code}"
        raise Failure(f"ghauth {what}: {MORE}")
    return bytes(answer) if len(answer) <= LONGEST_ANSWER else b""


async def end(child) -> None:  # at SIGTERM ghauth ends the refresh script, which has a process group of its own
    for number in (signal.SIGTERM, signal.SIGKILL) if child.returncode is None else (signal.SIGKILL,):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)
        with anyio.move_on_after(3):
            await child.wait()
    with anyio.move_on_after(1), suppress(anyio.EndOfStream, anyio.ClosedResourceError):
        while True:  # a pipe that is not read to its end stays open
            await child.stdout.receive()


BACKEND = GhauthBackend()
