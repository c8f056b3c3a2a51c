"""A group's bot: alerts that mention people, and messages of your own. Run: WECOM_WEBHOOK=… python examples/bot.py"""

import logging

from wecom_logging import BotClient, WeComBotHandler
from wecom_logging.model import Markdown, Text

logging.basicConfig()  # the console, too, which shows nothing by itself once a logger has a handler
log = logging.getLogger("crawler")
log.addHandler(WeComBotHandler(level="WARNING", service="crawler", mention=["@all"], mention_level="CRITICAL"))
log.warning("%d of %d pages could not be read", 17, 2000)
log.critical("the proxy pool is empty, the crawler stops")

bot = BotClient()
bot.send(
    Markdown('## 日报 Daily report\n> pages <font color="info">1983</font>\n> failed <font color="warning">17</font>')
)
bot.send(Text("please have a look", mentioned=("sandbox-user",)))
report = bot.upload("pages.csv", b"url,status\nhttps://example.com/,200\n")
print("uploaded" if report else "not uploaded")
