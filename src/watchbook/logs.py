"""The log: lines on standard error, for a person or as JSON, with nothing secret in them.

Everything takes one way. Events of structlog and records of the standard library alike run
through :func:`_cleaned_event`, which stands right before the line is written, so no key, value,
exception text or traceback gets round it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from threading import Lock
from typing import Any, TextIO

import structlog

from watchbook import clock
from watchbook.redaction import cleaned, forget, redact, secret, tame

__all__ = ["configure", "forget", "logger", "redact", "secret"]

Event = MutableMapping[str, Any]

_QUIET = ("alembic", "asyncio", "hpack", "httpcore2", "httpx2")
"""They have little to say that we do not say ourselves; httpcore2 tells the headers of answers."""

_BLOCKS = ("exception", "stack")
"""Texts of many lines; a person reads them indented below their event."""

_COLOURS = {"debug": "\x1b[2m", "warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[31m"}
_RESET = "\x1b[0m"


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger whose lines name ``name``; it takes events with keys and values."""
    if not structlog.is_configured():
        _arrange(logging.INFO, _human_line, None)
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger(part=name)
    return log


def configure(level: str, stream: TextIO | None = None) -> None:
    """Log events of ``level`` and above to ``stream``, standard error unless told.

    ``level`` is what the setting ``log`` allows: a level, or ``json`` for JSON lines from
    ``info`` on. The standard library's loggers are routed here too, and lose other handlers.
    """
    as_json = level == "json"
    number = logging.getLevelNamesMapping()["INFO" if as_json else level.upper()]
    _arrange(number, _json_line if as_json else _human_line, stream)
    _take_over(number)


def _arrange(number: int, render: Callable[[Any, str, Event], str], stream: TextIO | None) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _cleaned_event,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: _Lines(stream),
        cache_logger_on_first_use=False,
    )


def _take_over(number: int) -> None:
    root = logging.getLogger()
    for known in list(root.manager.loggerDict.values()):
        if isinstance(known, logging.Logger):
            known.handlers.clear()
            known.propagate = True
    root.handlers[:] = [_Bridge()]
    root.setLevel(number)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def _cleaned_event(_logger: object, _method: str, event: Event) -> Event:
    head = {"time": clock.to_iso(clock.now()), "level": event.pop("level", "info"), "event": ""}
    blocks = {name: _cleaned_block(event.pop(name)) for name in _BLOCKS if event.get(name)}
    rest = cleaned({key: value for key, value in event.items() if key not in _BLOCKS})
    return {**head, **rest, **blocks}


def _cleaned_block(text: object) -> str:
    return "\n".join(tame(line) for line in redact(str(text)).split("\n"))


def _json_line(_logger: object, _method: str, event: Event) -> str:
    return json.dumps(event, ensure_ascii=False)


def _human_line(logger: object, _method: str, event: Event) -> str:
    blocks = [event.pop(name) for name in _BLOCKS if name in event]
    time, level, said = event.pop("time"), event.pop("level"), event.pop("event", "")
    pairs = "".join(f"  {key}={_human_value(value)}" for key, value in event.items())
    colour = _COLOURS.get(level, "") if getattr(logger, "coloured", False) else ""
    line = f"{time} {colour}{level:<8}{_RESET if colour else ''} {said}{pairs}"
    # The bar keeps a line inside an exception's text from passing for a line of the log.
    return "\n    | ".join([line, *(row for block in blocks for row in block.split("\n"))])


def _human_value(value: object) -> str:
    plain = str(value)
    if isinstance(value, str) and plain and not set(plain) & set(" \"'="):
        return plain
    return json.dumps(value, ensure_ascii=False)


class _Lines:
    """Writes whole lines, one at a time, to where standard error is at that moment."""

    _lock = Lock()

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    @property
    def coloured(self) -> bool:
        stream = self._stream or sys.stderr
        return not stream.closed and stream.isatty() and not os.environ.get("NO_COLOR")

    def msg(self, line: str) -> None:
        # A closed terminal or a full disk must not stop the work that is being told about.
        with self._lock, suppress(OSError, ValueError):
            stream = self._stream or sys.stderr
            stream.write(line + "\n")
            stream.flush()

    debug = info = warning = error = critical = msg


class _Bridge(logging.Handler):
    """Turns records of the standard library into events."""

    def emit(self, record: logging.LogRecord) -> None:
        level = min(max(record.levelno // 10 * 10, logging.DEBUG), logging.CRITICAL)
        logger(record.name).log(
            level, _message(record), exc_info=record.exc_info, stack=record.stack_info
        )


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        # The standard library would print the arguments to standard error, unseen by us.
        return f"{record.msg} (its arguments do not fit)"
