"""What INSTALLED_APPS names."""

from __future__ import annotations

from django.apps import AppConfig

from ..._telling import Teller


class WeComConfig(AppConfig):
    """Connects the signal when Django is ready, and checks the settings."""

    name = "wecom_logging.integrations.django"
    label = "wecom_logging"
    verbose_name = "WeCom alerts"

    def ready(self) -> None:
        from django.conf import settings
        from django.core.signals import got_request_exception

        from .middleware import tell

        Teller(getattr(settings, "WECOM_HANDLER", None), "django").at_start()
        got_request_exception.connect(tell, dispatch_uid="wecom_logging")
