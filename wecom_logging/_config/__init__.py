"""Options from arguments, environment and files, checked at once. Each error names the field and how to set it.

An option that is not given is read from its environment variable; a secret also from a file that the variable
``…_FILE`` names. The value of a secret option may say where it is: ``env:NAME`` or ``file:PATH``.
"""

from .credentials import SECRET_REMEDY as SECRET_REMEDY
from .credentials import agent_id as agent_id
from .credentials import aibot_id as aibot_id
from .credentials import aibot_secret as aibot_secret
from .credentials import app_identity as app_identity
from .credentials import app_secret as app_secret
from .credentials import bot_identity as bot_identity
from .credentials import contacts_secret as contacts_secret
from .credentials import corp_id as corp_id
from .credentials import enabled as enabled
from .credentials import heartbeat_url as heartbeat_url
from .credentials import optional_agent_id as optional_agent_id
from .credentials import optional_app_secret as optional_app_secret
from .credentials import webhook as webhook
from .credentials import webhook_entries as webhook_entries
from .credentials import webhooks as webhooks
from .messages import JOINERS_AND_SPACES as JOINERS_AND_SPACES
from .messages import RateRules as RateRules
from .messages import answerers as answerers
from .messages import chats as chats
from .messages import ids as ids
from .messages import language as language
from .messages import rate_limit as rate_limit
from .messages import reader as reader
from .messages import reader_if_right as reader_if_right
from .messages import recipients as recipients
from .messages import routes as routes
from .messages import timezone as timezone
from .options import CommonOptions as CommonOptions
from .options import OfDuty as OfDuty
from .options import checked as checked
from .options import marked as marked
from .values import LARGEST as LARGEST
from .values import aibot_url as aibot_url
from .values import all_given as all_given
from .values import api_base as api_base
from .values import duration as duration
from .values import exact as exact
from .values import function as function
from .values import is_loopback as is_loopback
from .values import level as level
from .values import number as number
from .values import optional_text as optional_text
from .values import secret as secret
from .values import state as state
from .values import text as text
from .values import timeout as timeout
from .values import whole as whole
from .variables import NEEDED as NEEDED
from .variables import VARIABLES as VARIABLES
from .variables import check_variables as check_variables
from .variables import is_set_up as is_set_up
