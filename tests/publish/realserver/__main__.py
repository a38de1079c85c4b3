"""Serve the site until this process is ended; the first line printed is JSON about it.

Run as a module with a folder for its database and pictures.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import django
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application


class _Quiet(WSGIRequestHandler):  # type: ignore[misc]
    def log_message(self, *args: object) -> None:
        """Say nothing about each request."""


def main(folder: Path) -> None:
    """Make the database and its owner, then answer."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), _Quiet, ipv6=False)
    home = f"http://localhost:{server.server_port}"
    os.environ["REALSERVER_FOLDER"], os.environ["REALSERVER_HOME"] = str(folder), home
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.publish.realserver.settings"
    django.setup()
    call_command("migrate", verbosity=0)
    sys.stdout.write(json.dumps({"url": home, "session": _session_of_the_owner()}) + "\n")
    sys.stdout.flush()
    server.set_app(get_wsgi_application())
    server.serve_forever()


def _session_of_the_owner() -> str:
    """A browser's session, in which the site's owner has signed in to the site itself."""
    from django.contrib.auth import (  # noqa: PLC0415 - models wait for the settings
        BACKEND_SESSION_KEY,
        HASH_SESSION_KEY,
        SESSION_KEY,
        get_user_model,
    )
    from django.contrib.sessions.backends.db import SessionStore  # noqa: PLC0415 - likewise

    owner = get_user_model().objects.create_user("alice")
    session = SessionStore()
    session[SESSION_KEY] = str(owner.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = owner.get_session_auth_hash()
    session.create()
    return str(session.session_key)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
