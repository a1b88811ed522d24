"""All settings. Each line says its unit or its reason; docs/running.md lists the variables."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import django_stubs_ext
import environ
from django.core.exceptions import ImproperlyConfigured

from ioa_web import env, runtime

django_stubs_ext.monkeypatch()  # ModelAdmin[Run] and the like, also where nobody checks types

BASE_DIR = Path(__file__).resolve().parent.parent
# Variables kept in a file; what is set already wins over it.
environ.Env.read_env(env.variables("IOA_ENV_FILE", BASE_DIR / ".env"))

# --- Where things lie ----------------------------------------------------------------
IOA_HOME = env.path("IOA_HOME", BASE_DIR / "var")  # database, models, adapters, logs
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # nobody is told what is trained here

# --- Django --------------------------------------------------------------------------
DEBUG = env.flag("IOA_DEBUG", False)
SECRET_KEY = env.secret("SECRET_KEY", kept_in=IOA_HOME / "secret_key")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_FAILURE_VIEW = "curriculum.views.common.token_refused"
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")  # https://ioa.example.org, behind a proxy
ROOT_URLCONF = "ioa_web.urls"
WSGI_APPLICATION = "ioa_web.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_rq",
    "axes",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "curriculum",
]
MIDDLEWARE = [
    "curriculum.request_ids.middleware",
    "django.middleware.security.SecurityMiddleware",
    "ioa_web.security.content_security_policy",
    "ioa_web.uploads.refuse_large",  # before anything reads the body
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "curriculum.signing_in.seen",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "curriculum.htmx.LoginRedirectMiddleware",
    "allauth.account.middleware.AccountMiddleware",  # it insists, also where its login is off
    "axes.middleware.AxesMiddleware",  # last, as it wants: puts its own page in a login's place
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "curriculum.views.common.top_bar",
                "curriculum.views.common.roles",  # after auth's, whose perms it narrows to the run
            ]
        },
    }
]

# --- Database ------------------------------------------------------------------------
_SQLITE = f"sqlite:///{IOA_HOME / 'db.sqlite3'}"
_database = env.database("DATABASE_URL", _SQLITE)
if _database["ENGINE"] == "django.db.backends.sqlite3":
    IOA_HOME.mkdir(parents=True, exist_ok=True)
    _database["OPTIONS"] = {
        "timeout": 20,  # seconds a writer waits for another
        "transaction_mode": "IMMEDIATE",  # wait at BEGIN, where waiting is possible
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    _database["CONN_MAX_AGE"] = 60  # seconds
    _database["CONN_HEALTH_CHECKS"] = True
DATABASES = {"default": _database}

# --- People --------------------------------------------------------------------------
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATION}.NumericPasswordValidator"},
]

# Who tries passwords has to wait: counted by name and address together, so that nobody can lock
# somebody else out from elsewhere. In the database, so that all web hosts count as one.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesBackend",
    "django.contrib.auth.backends.ModelBackend",
]
IOA_PROXIES = env.number(  # in front of us; each adds to X-Forwarded-For
    "IOA_PROXIES", 1 if env.flag("IOA_HTTPS", False) else 0, least=0
)
AXES_CLIENT_IP_CALLABLE = "ioa_web.addresses.address_of"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = env.number("IOA_LOGIN_TRIES", 5, least=1)
AXES_COOLOFF_TIME = timedelta(minutes=env.number("IOA_LOGIN_WAIT_MINUTES", 15, least=1))
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # the wait that is said is the wait
AXES_LOCKOUT_CALLABLE = "curriculum.signing_in.too_many"
AXES_DISABLE_ACCESS_LOG = True  # sessions say where people are signed in
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# --- Signing in at a provider of the organisation: OpenID Connect ---------------------------
# Off without an address: then none of allauth's addresses is open (ioa_web/urls.py).
IOA_OIDC = env.provider("IOA_OIDC_URL")  # the issuer, without /.well-known/…
IOA_OIDC_NAME = env.text("IOA_OIDC_NAME", "single sign-on")  # on the button
IOA_OIDC_GROUP = env.choice("IOA_OIDC_GROUP", "viewer", ("none", "viewer", "reviewer", "approver"))
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        # Only addresses that the provider vouches for; off, as it may let people choose them.
        "EMAIL_AUTHENTICATION": env.flag("IOA_OIDC_LINK_BY_EMAIL", False),
        "APPS": [
            {
                "provider_id": "main",
                "name": IOA_OIDC_NAME,
                "client_id": env.text("IOA_OIDC_CLIENT_ID"),
                "secret": env.text("IOA_OIDC_SECRET"),
                "settings": {"server_url": IOA_OIDC},
            }
        ],
    }
}
if IOA_OIDC and not env.text("IOA_OIDC_CLIENT_ID"):
    raise ImproperlyConfigured("IOA_OIDC_URL is set, so IOA_OIDC_CLIENT_ID has to be as well.")
SOCIALACCOUNT_ADAPTER = "curriculum.oidc.SocialAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True  # see curriculum.oidc.begin
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_QUERY_EMAIL = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10  # seconds
SOCIALACCOUNT_STORE_TOKENS = False
ACCOUNT_ADAPTER = "curriculum.oidc.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_UNIQUE_EMAIL = False  # people may have two accounts
ACCOUNT_SIGNUP_FIELDS = ["username*"]

# --- Headers: the page is its own, and only its own ----------------------------------
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = "Lax"
if env.flag("IOA_HTTPS", False):  # behind a proxy that speaks https and sets X-Forwarded-Proto
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # asked from inside, where nobody speaks https
    SECURE_HSTS_SECONDS = 31_536_000  # a year
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# --- Language and time ---------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = False  # English only; dates and numbers as ISO 80000 writes them
USE_TZ = True
TIME_ZONE = env.zone("TIME_ZONE", "UTC")

# --- Files served and kept -----------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = env.text("IOA_STATIC_ROOT") or None  # for `collectstatic`, where a proxy serves them
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True  # no collectstatic before the first start
MEDIA_ROOT = IOA_HOME / "uploads"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# --- Background jobs -----------------------------------------------------------------
# Two queues, because one training (hours, one GPU) must never hold up the writing of items
# (minutes, somebody else's server). Jobs go to Redis only after the database has committed.
REDIS_URL = env.redis("REDIS_URL", runtime.redis_url(IOA_HOME))
IOA_EMBEDDED_REDIS = not env.text("REDIS_URL")  # `serve` starts its own
RQ = {"COMMIT_MODE": "on_db_commit", "WORKER_CLASS": "curriculum.workers.CurriculumWorker"}
RQ_QUEUES = {
    "teacher": {
        "URL": REDIS_URL,
        "DEFAULT_TIMEOUT": env.number("IOA_TEACHER_SECONDS", 6 * 3600, least=60),
    },
    "gpu": {
        "URL": REDIS_URL,
        "DEFAULT_TIMEOUT": env.number("IOA_GPU_SECONDS", 48 * 3600, least=60),
    },
}
IOA_LOST_AFTER_SECONDS = env.number(  # longer than the longest silence: loading a model
    "IOA_LOST_AFTER_SECONDS", 600, least=30
)

# --- Review as a team ----------------------------------------------------------------
IOA_LOOK_SECONDS = env.number(  # pages renew their lock every 30 s
    "IOA_LOOK_SECONDS", 120, least=45
)

# --- Who may teach -------------------------------------------------------------------
# Not what a form says: a teacher's name says which key is sent to which server.
IOA_TEACHERS = env.words("IOA_TEACHERS")  # specs of distill.roster.find_teacher
IOA_TEACHER_REQUESTS = env.number("IOA_TEACHER_REQUESTS", 8, least=1)  # at a time
IOA_PRICES = env.prices("IOA_PRICES")  # of tokens, by model; without one no sum is shown
# Why items are rejected, each by a key: 1 to 9.
IOA_REJECT_REASONS = env.words(
    "IOA_REJECT_REASONS",
    "wrong answer,a step is wrong or missing,too hard for this student,too easy,unclear wording,"
    "too much like another item,to be written again",
)
if len(IOA_REJECT_REASONS) > 9:
    raise ImproperlyConfigured("IOA_REJECT_REASONS has room for nine reasons: keys 1 to 9.")

# --- What comes in -------------------------------------------------------------------
IOA_UPLOAD_BYTES = env.number("IOA_UPLOAD_BYTES", 256 * 1024**2, least=1024**2)  # of one request
IOA_ARCHIVE_BYTES = env.number("IOA_ARCHIVE_BYTES", 20 * 1024**3, least=1024**2)  # unpacked
IOA_IMPORT_ROWS = env.number("IOA_IMPORT_ROWS", 50_000, least=1)  # of one file

# --- The API -------------------------------------------------------------------------
IOA_API_REQUESTS = env.number("IOA_API_REQUESTS", 600, least=1)  # of one token, a minute

# --- `serve`: everything on one host ----------------------------------------------------
IOA_LISTEN = env.text("IOA_LISTEN", "127.0.0.1:8000")  # host:port of the web server
IOA_BEFORE_WORK = "curriculum.workers.recover"  # called when no worker is alive

# --- Who is told that a run waits for a person -------------------------------------------
IOA_BASE_URL = env.address("IOA_BASE_URL", f"http://{IOA_LISTEN}")  # of the links in messages
_mail = env.mail("EMAIL_URL")
vars().update(_mail)  # EMAIL_BACKEND, EMAIL_HOST and their kin
IOA_MAIL = bool(_mail)
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = env.text("IOA_MAIL_FROM", "ioa@localhost")
IOA_WEBHOOK_URL = env.address("IOA_WEBHOOK_URL")
IOA_WEBHOOK_SECRET = env.text("IOA_WEBHOOK_SECRET")
IOA_WEBHOOK_SECONDS = env.number("IOA_WEBHOOK_SECONDS", 5, least=1)  # for an answer
if IOA_WEBHOOK_URL and not IOA_WEBHOOK_SECRET:
    raise ImproperlyConfigured("IOA_WEBHOOK_URL is set, so IOA_WEBHOOK_SECRET has to be as well.")

# --- What is said --------------------------------------------------------------------
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"httpx2": {"level": "WARNING"}},  # else a line for each question to a server
    "root": {"handlers": ["console"], "level": env.choice("IOA_LOG_LEVEL", "INFO", _LEVELS)},
}
