"""A FastAPI site and its background tasks. Run: pip install fastapi uvicorn; python examples/fastapi_site.py"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import BackgroundTasks, FastAPI

from wecom_logging import WeComHandler
from wecom_logging.integrations.asgi import WeComMiddleware


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Here, or at the top of the module."""
    logging.getLogger().addHandler(WeComHandler(level="ERROR", service="shop"))
    yield


app = FastAPI(lifespan=lifespan)
app.add_middleware(WeComMiddleware)


@app.get("/orders/{number}/price")
def price(number: int, later: BackgroundTasks) -> str:
    later.add_task(tell_the_warehouse, number)
    return "9.90"


def tell_the_warehouse(number: int) -> None:
    raise ConnectionError("the warehouse does not answer")


if __name__ == "__main__":  # as `uvicorn fastapi_site:app` would; it asks itself once and ends
    import threading
    import urllib.request

    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, port=8766, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.05)
    print(urllib.request.urlopen("http://127.0.0.1:8766/orders/4711/price").read().decode())
    server.should_exit = True
    thread.join()
