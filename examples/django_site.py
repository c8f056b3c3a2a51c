"""A Django site in one file whose failed requests are told. Run: pip install django; python examples/django_site.py"""

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(
    DEBUG=False,
    SECRET_KEY="for the example alone",
    ALLOWED_HOSTS=["testserver"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["wecom_logging.integrations.django"],
    MIDDLEWARE=["wecom_logging.integrations.django.WeComMiddleware"],
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"wecom": {"class": "wecom_logging.WeComHandler", "level": "ERROR", "service": "shop"}},
        "root": {"handlers": ["wecom"]},
    },
)


def price(request: HttpRequest, number: int) -> HttpResponse:
    prices = {1: "9.90"}
    return HttpResponse(prices[number])


urlpatterns = [path("orders/<int:number>/price", price)]

if __name__ == "__main__":  # a server would call it; here Django's test client does
    django.setup()
    from django.core.management import call_command
    from django.test import Client

    print(Client(raise_request_exception=False).get("/orders/4711/price").status_code)
    call_command("wecom_test")
