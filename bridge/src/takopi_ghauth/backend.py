"""Takopi's /ghauth: hands each command to the `ghauth` program and relays its answer, never what else it prints."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass

import anyio

from .host import api, shows_buttons, transport_of
from .program import MORE, Failure, run

LONGEST_TEXT = 1_900  # Discord drops what is over 2,000
QUICK_SECONDS = 8  # for all but these, which wait for others
SLOW = {"refresh": "Refreshing…", "revoke": "Revoking…", "doctor": "Looking around…"}
BUTTONS = {"refresh": "🔄 Refresh", "doctor": "🩺 Doctor", "revoke": "🛑 Revoke"}


@dataclass
class Answer:
    text: str
    notify: bool = True
    html: str | None = None
    actions: tuple[str, ...] = ()


class GhauthBackend:
    id = "ghauth"
    description = "GitHub token: help, flow, status, refresh"

    def __init__(self, headroom_seconds: float = 8, silent_seconds: float = 3) -> None:
        self._headroom_seconds = headroom_seconds  # more than the program's own, so that its sentence arrives
        self._silent_seconds = silent_seconds

    async def handle(self, ctx):
        try:
            answer = parse(await self._ask(ctx))
        except Exception as error:  # Takopi would log every frame's locals
            unexpected = f"Something unexpected went wrong in takopi-ghauth ({type(error).__name__})."
            answer = Answer(f"error:\n{error if isinstance(error, Failure) else unexpected}")
        if answer.html is not None and shows_buttons(ctx) and await send_html(ctx, answer):
            return None
        return api.CommandResult(text=answer.text, notify=answer.notify)

    async def _ask(self, ctx) -> bytes:
        config = ctx.plugin_config
        cli = config.get("cli", ["ghauth"])
        if not (isinstance(cli, list) and cli and all(isinstance(word, str) and word for word in cli)):
            raise Failure('plugins.ghauth.cli must be a list of words, as in ["ghauth"].')
        if isinstance(ids := config.get("refresh_user_ids"), list):  # as those of a message, below
            config = config | {"refresh_user_ids": [str(each) if type(each) is int else each for each in ids]}
        timeout = config.get("refresh_timeout_seconds")
        if type(timeout) not in (int, float) or not 0 < timeout <= 3600:
            timeout = 30  # the program tells what is wrong with it
        word = ctx.args[0].lower() if ctx.args else ""
        seconds = timeout + self._headroom_seconds
        request = {"v": 1, "args": ctx.args, "args_text": ctx.args_text, "transport": transport_of(ctx)}
        request |= {"plugin_config": config, "config_path": ctx.config_path}
        request["accepts"] = ["text", "telegram_html"] if shows_buttons(ctx) else ["text"]
        for name in ("channel_id", "thread_id", "sender_id"):
            value = getattr(ctx.message, name, None)
            request[name] = None if value is None else str(value)  # Discord's exceed what JSON numbers hold
        words = [os.path.expanduser(cli[0]), *cli[1:], "command"]
        program = (words, json.dumps(request, default=str).encode(), seconds if word in SLOW else min(seconds, QUICK_SECONDS))
        failure, answer = None, b""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._say_that_it_works, ctx, word)
            try:
                answer = await run(*program)
            except Exception as error:  # here, and not as a member of a group
                failure = error
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure
        return answer

    async def _say_that_it_works(self, ctx, word: str) -> None:
        await anyio.sleep(self._silent_seconds)
        with suppress(Exception):
            await ctx.executor.send(SLOW.get(word, "Still working…"), notify=False)


def parse(answer: bytes) -> Answer:
    with suppress(ValueError, RecursionError):
        fields = json.loads(answer)
        if isinstance(fields, dict) and isinstance(fields.get("text"), str) and fields["text"].strip():
            text = well_formed(fields["text"])
            text = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
            html, actions = fields.get("telegram_html"), fields.get("actions")
            return Answer(
                text,
                notify=fields.get("notify") is not False,
                html=well_formed(html) if isinstance(html, str) and html.strip() else None,
                actions=tuple(name for name in BUTTONS if isinstance(actions, list) and name in actions),
            )
    raise Failure(f"ghauth gave no answer that can be shown: run install_local.sh again, or {MORE}")


def well_formed(text: str) -> str:
    return text.encode(errors="replace").decode()


async def send_html(ctx, answer: Answer) -> bool:
    """Whether it arrived: else the plain text still has to."""
    extra = {"parse_mode": "HTML"}
    if answer.actions:
        row = [{"text": BUTTONS[name], "callback_data": f"ghauth:{name}"} for name in answer.actions]
        extra["reply_markup"] = {"inline_keyboard": [row]}
    with suppress(Exception):
        return await ctx.executor.send(api.RenderedMessage(text=answer.html, extra=extra), notify=answer.notify) is not None
    return False


BACKEND = GhauthBackend()
