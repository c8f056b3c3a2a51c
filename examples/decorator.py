"""Critical functions tell what they raise, and raise it as ever. Run: python examples/decorator.py"""

import asyncio

from wecom_logging import WeComHandler, notify_on_exception

handler = WeComHandler(service="billing")


@notify_on_exception(title="对账失败 / balance failed", capture_args=True)
def balance(account: str, income: float, expenses: float) -> float:
    if expenses > income:
        raise ArithmeticError(f"account {account} is {expenses - income:.2f} short")
    return income - expenses


@notify_on_exception(level="CRITICAL", ignore=(TimeoutError,))
async def fetch_rates(bank: str) -> dict[str, float]:
    raise ConnectionError(f"{bank} does not answer")


for failing in (lambda: balance("6222", 10.0, 12.5), lambda: asyncio.run(fetch_rates("the bank"))):
    try:
        failing()
    except (ArithmeticError, ConnectionError) as error:
        print(f"raised as ever: {error}")

with notify_on_exception(title="cleaning up"):
    print("a block that works says nothing")

handler.flush(5)
print(handler.stats())
