"""Pictures: uploaded to a media endpoint, each under a name of its own.

Some servers keep the file's name and take a second ``poster.jpg`` of a day for the first, so the
name is made of the content. A picture that is not taken is no reason not to post.
"""

from __future__ import annotations

from watchbook.errors import WatchbookError
from watchbook.http import HttpClient
from watchbook.micropub import outcome
from watchbook.micropub.client import ANSWER_BYTES, PATIENCE, bearer
from watchbook.micropub.outcome import Outcome
from watchbook.micropub.parts import File, multipart


def upload(http: HttpClient, endpoint: str, token: str, file: File) -> Outcome:
    """Send a picture to the media endpoint; the outcome's ``url`` is what posts refer to."""
    content_type, body = multipart({"file": file})
    try:
        answer = http.request(
            "POST",
            endpoint,
            headers={**bearer(token), "Content-Type": content_type},
            content=body,
            timeout=PATIENCE,
            max_bytes=ANSWER_BYTES,
        )
    except WatchbookError as reason:
        return outcome.lost(reason)
    return outcome.created(answer)
