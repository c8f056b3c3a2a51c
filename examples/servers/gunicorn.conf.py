"""gunicorn tells what it logs at ERROR: failed requests, workers that hang, are killed or do not start."""

from wecom_logging import install_hooks
from wecom_logging.integrations.gunicorn import worker_exit  # noqa: F401 # which gunicorn calls as a worker ends

logconfig_dict = {
    "disable_existing_loggers": False,
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "generic"},
        "wecom": {"class": "wecom_logging.WeComHandler", "level": "ERROR", "service": "shop"},
    },
    "root": {"level": "INFO", "handlers": ["console", "wecom"]},
    "loggers": {"gunicorn.error": {"propagate": True}},
}
install_hooks()  # with preload_app nothing is logged of an application that cannot be loaded: the master ends by it
