"""What nobody catches is told, also in threads. Run: python examples/hooks.py (it ends by an exception)"""

import threading

from wecom_logging import WeComHandler, install_hooks

handler = WeComHandler(service="crawler")
install_hooks()


def crawl() -> None:
    raise ConnectionError("the proxy pool is empty")


thread = threading.Thread(target=crawl, name="crawler-1")
thread.start()
thread.join()
raise SystemExit("no page was read")  # an end that somebody wants is no alert
