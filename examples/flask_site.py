"""A Flask site that says in which request a view failed. Run: pip install flask; python examples/flask_site.py"""

import logging

from flask import Flask

from wecom_logging import WeComHandler
from wecom_logging.integrations.flask import init_app

logging.getLogger().addHandler(WeComHandler(level="ERROR", service="shop"))

app = Flask("shop")
init_app(app)


@app.get("/orders/<int:number>/price")
def price(number: int) -> str:
    prices = {1: "9.90"}
    return prices[number]


if __name__ == "__main__":  # a server would call it; here its test client does
    answer = app.test_client().get("/orders/4711/price")
    print(answer.status)
