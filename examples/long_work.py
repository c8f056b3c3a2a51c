"""Long work tells that it goes on, how it ended and how far it came. Run: WECOM_… python examples/long_work.py"""

from wecom_logging import WeComHandler, progress

handler = WeComHandler(level="ERROR", service="night shift")  # what is asked for is told whatever the level


with progress("training", every="30m", total=60, start=True) as step:
    for epoch in range(60):
        step(loss=round(100 / (epoch + 1), 2))  # at most one "still running" in half an hour

try:
    with progress(["north", "south", "east"], "import of the branches") as branches:
        for branch in branches:
            if branch == "east":
                raise ConnectionError(f"{branch} does not answer")
except ConnectionError as error:
    print(f"raised as ever: {error}")
