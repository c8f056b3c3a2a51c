"""Which paths WeCom has, so that one that it has not is a 404, and one that is not built here says so.

From the tree of https://developer.work.weixin.qq.com/document/path/90664. Of a family of which the sandbox builds
nothing, the name alone is known.
"""

from __future__ import annotations

_FAMILIES = """
aibot auth calendar card chatdata checkin corp corpgroup dial exmail export externalcontact externalpay hardware health
idconvert ihr invoice journal kf linkedcorp living material meeting meetingroom miniprogram msgaudit oa pstncc report
rooms school security service smartsheet tool treasury wedoc wedrive workbench
"""

_CALLS = """
get_jsapi_ticket ticket/get
message/update_template_card message/update_taskcard message/get_statistics
media/get/jssdk media/upload_attachment media/upload_by_url media/get_upload_by_url_result
user/authsucc user/getuserinfo user/getuserdetail user/get_active_stat user/tfa_succ
user/list_member_auth user/check_member_auth
batch/openuserid_to_userid batch/userid_to_openuserid
agent/set_workbench_template agent/get_workbench_template agent/set_workbench_data agent/get_permissions
agent/set_scope agent/get_workbench_data agent/batch_set_workbench_data
"""

FAMILIES = frozenset(_FAMILIES.split())
CALLS = frozenset(_CALLS.split())


def is_wecoms(path: str) -> bool:
    """Of a path below ``/cgi-bin/``."""
    call = path.removeprefix("/cgi-bin/")
    return call in CALLS or call.partition("/")[0] in FAMILIES
