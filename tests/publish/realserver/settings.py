"""The settings of a Django site that has django-indieweb and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(os.environ["REALSERVER_FOLDER"])
HOME = os.environ["REALSERVER_HOME"]
"""The site's own address, without a slash at the end."""

SECRET_KEY = "of a site that lives for one test"
DEBUG = False
ALLOWED_HOSTS = ["localhost"]
USE_TZ = True
SITE_ID = 1
ROOT_URLCONF = "tests.publish.realserver.urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.sites",
    "django.contrib.staticfiles",
    "indieweb",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": FOLDER / "site.db",
        "OPTIONS": {"timeout": 30},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MEDIA_ROOT, MEDIA_URL = FOLDER / "media", "/pictures/"
STATIC_URL = "/static/"
LOGGING_CONFIG = None
INDIEWEB_MICROPUB_HANDLER = "tests.publish.realserver.diary.Diary"
INDIEWEB_REQUIRE_PKCE_S256 = True
