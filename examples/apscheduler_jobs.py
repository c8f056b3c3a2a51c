"""A job of APScheduler that fails. Run: pip install 'apscheduler<4'; python examples/apscheduler_jobs.py"""

import threading

from apscheduler.events import EVENT_JOB_ERROR
from apscheduler.schedulers.background import BackgroundScheduler

from wecom_logging import WeComHandler
from wecom_logging.integrations.apscheduler import listen

handler = WeComHandler(service="reports")
scheduler = BackgroundScheduler(timezone="Asia/Shanghai")
listen(scheduler)


def close_the_day() -> None:
    raise ValueError("对账失败：差额 3.20")


if __name__ == "__main__":
    failed = threading.Event()
    scheduler.add_listener(lambda event: failed.set(), EVENT_JOB_ERROR)
    scheduler.add_job(close_the_day, id="close-the-day")  # no trigger: at once
    scheduler.start()
    failed.wait(30)
    scheduler.shutdown()
