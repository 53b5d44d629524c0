"""Runs the `ghauth` program: with a deadline, and never without an end."""

import os
import signal
from contextlib import suppress
from subprocess import DEVNULL, PIPE
from tempfile import TemporaryFile

import anyio

LONGEST_ANSWER = 262_144
MORE = "run ghauth status on the host, which says more."


class Failure(Exception):
    """A sentence for the chat."""


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
    if code == 127:
        raise Failure("ghauth ended with 127: the node that it runs on is gone. Run install_local.sh again.")
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
