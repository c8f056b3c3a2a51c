"""Tells which of supervisord's programs ended when it should not, or could not be started. See supervisord.conf.

Source: http://supervisord.org/events.html#event-listener-notification-protocol
"""

import logging
import signal
import sys

from wecom_logging import WeComHandler

logging.getLogger("supervisor").addHandler(WeComHandler())


def words(line: str) -> dict[str, str]:
    """``processname:shop groupname:shop from_state:RUNNING expected:0 pid:2766``"""
    return dict(word.split(":", 1) for word in line.split())


def tell(event: str, program: dict[str, str]) -> None:
    log = logging.getLogger(f"supervisor.{program['processname']}")  # each program is a failure of its own
    if event == "PROCESS_STATE_FATAL":
        log.critical("given up: it could not be started")
    elif program["expected"] == "0":
        log.error("ended with an exit code that is not in exitcodes, or by a signal")


signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that what is only counted is told
print("READY", flush=True)
while line := sys.stdin.readline():
    header = words(line)
    tell(header["eventname"], words(sys.stdin.read(int(header["len"]))))
    print("RESULT 2\nOKREADY", flush=True)
