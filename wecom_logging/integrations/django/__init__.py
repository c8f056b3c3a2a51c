"""Django: sends what a view raises, with method, route and status; ``manage.py wecom_test`` sends one alert.

    INSTALLED_APPS = [..., "wecom_logging.integrations.django"]
    MIDDLEWARE = ["wecom_logging.integrations.django.WeComMiddleware", ...]

Settings: ``WECOM_HANDLER``, the name of a handler in LOGGING (without it every live WeCom handler);
``WECOM_USER_ID = True`` says who made the request, where the program has asked for that before: an alert asks no
database.
With ``DEBUG = True`` failures of views are not sent.

Sources: https://docs.djangoproject.com/en/stable/topics/http/middleware/,
https://docs.djangoproject.com/en/stable/ref/signals/#got-request-exception
"""

from __future__ import annotations

from .. import need

need("django", "4.2", "Django")

from .middleware import WeComMiddleware  # noqa: E402 # it needs Django

__all__ = ["WeComMiddleware"]
