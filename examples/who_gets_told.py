"""An on-duty tag in WeCom's directory, and alerts to it. Run: WECOM_… python examples/who_gets_told.py (once)"""

import logging

from wecom_logging import WeComBotHandler, WeComClient, WeComHandler

# Once, with the secret of the contacts sync (WECOM_CONTACTS_SECRET): who is on duty.
client = WeComClient()
operations = client.departments.create(name="运维部")
client.members.create(user_id="zhangsan", name="张三", mobile="13800000001", departments=[operations])
client.members.create(
    user_id="lisi", name="李四", mobile="13800000002", departments=[operations], leader_of=[operations]
)
on_duty = client.tags.create("值班")
print("not in the tag:", client.tags.add(on_duty, users=["zhangsan"]).invalid_users)

# In every program, with the app's secret: names are looked up by the background thread.
handler = WeComHandler(
    level="WARNING",
    departments=["运维部"],
    routes=[
        {"logger": "payments", "level": "CRITICAL", "tags": ["值班"], "leader_of": ["运维部"]},
        {"logger": "crawler", "users": ["张三"]},
    ],
    fallback=WeComBotHandler(),
)
logging.getLogger().addHandler(handler)
logging.getLogger("payments.cards").critical("no payment for ten minutes")
logging.getLogger("crawler").warning("the proxy pool is nearly empty")
logging.getLogger("shop").error("an order cannot be priced")
