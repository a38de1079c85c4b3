"""The media endpoint, and the pictures it keeps."""

from __future__ import annotations

import re
import secrets

from watchbook.sandbox.answer import TEXT_TYPE, Answer, Refusal, refused
from watchbook.sandbox.site.body import Upload
from watchbook.sandbox.site.call import MEDIA, Call
from watchbook.sandbox.site.world import File, World

_MOST_BYTES = 10 * 1024 * 1024
_BEGINNINGS = {
    "image/jpeg": ("jpg", re.compile(rb"\xff\xd8\xff")),
    "image/png": ("png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    "image/gif": ("gif", re.compile(rb"GIF8[79]a")),
    "image/webp": ("webp", re.compile(rb"RIFF.{4}WEBP", re.DOTALL)),
}


def answer(call: Call) -> Answer:
    """Take the file in the part `file`; 201 with its address."""
    call.action = "upload"
    call.sign_in("media", "create")
    faults = call.fires("media").keys()
    if "media-403" in faults:
        return refused(403, "forbidden", "This token is not good for pictures")
    if "media-415" in faults:
        return refused(415, "unsupported_media_type", "Not of this type")
    file = next((one for one in call.body.files if one.part == "file"), None)
    if file is None:
        return refused(400, "invalid_request", "There is no part called `file`")
    url = keep(call.world, file, same_name="media-same-name" in faults)
    return Answer(201, b"", [(b"location", url.encode()), TEXT_TYPE])


def keep(world: World, file: Upload, *, same_name: bool = False) -> str:
    """Keep a file under a name of its own, or the one it came with; answers its address.

    Raises:
        Refusal: it is too large (413), or no picture of the type it claims (415).
    """
    if len(file.content) > _MOST_BYTES:
        raise Refusal(refused(413, "too_large", "10 MiB at most"))
    ending, beginning = _BEGINNINGS.get(file.content_type, ("", None))
    if beginning is None or not beginning.match(file.content):
        raise Refusal(refused(415, "unsupported_media_type", "JPEG, PNG, GIF or WebP"))
    name = _plain(file.name) if same_name else f"{secrets.token_hex(8)}.{ending}"
    world.media.setdefault(name, File(name, file.content_type, file.content))
    return f"{world.url}{MEDIA}/{name}"


def show(call: Call) -> Answer:
    """The bytes of a picture."""
    found = call.world.media.get(call.request.path.removeprefix(f"{MEDIA}/"))
    if found is None:
        return Answer(404, b"There is no such picture.", [TEXT_TYPE])
    kind = (b"content-type", found.content_type.encode())
    return Answer(200, found.content, [kind, (b"x-content-type-options", b"nosniff")])


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", name).lstrip(".") or "file"
